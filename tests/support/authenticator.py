"""An officer's authenticator in tests, and signing in through the real pages.

Fast, for tests of pages of work (no hashing): ``desk.signed_in(person)`` begins a full
session that was proved just now. The whole way, by HTTP::

    phone = authenticator.enrol(session, keys, officer)   # has a factor already
    answer = await authenticator.sign_in(client, "budi", PHRASE, phone, now=desk.clock())

``Authenticator.code(now)`` never gives a code twice: it starts with the step before this
one and goes on to the next, so three sign-ins fit into one moment of a standing clock.
Move the clock by 30 seconds for each further one. Without a factor pass ``phone=None``:
``sign_in`` walks through the set-up, and ``Arrived`` has the phone and the ten codes.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from sqlmodel import Session

from storage.crypto.server_key import ServerKeys
from storage.models import Officer
from storage.people import one_time_codes
from tests.support.browsers import Page

_SEED = re.compile(r'<p class="seed">(.*?)</p>', re.DOTALL)
_CODE = re.compile(r"<code>([0-9A-Z-]+)</code>")


class NoCodeLeft(Exception):
    """Every code of this moment was used; move the clock by 30 seconds."""


@dataclass
class Authenticator:
    """Knows a secret and which step it showed last."""

    seed: bytes
    last: int = 0

    def code(self, now: datetime) -> str:
        """Return a code that counts now and was not shown before."""
        present = one_time_codes.step_of(now)
        self.last = max(self.last + 1, present - 1)
        if self.last > present + 1:
            raise NoCodeLeft
        return one_time_codes.code_at(self.seed, self.last)


@dataclass
class Arrived:
    """What signing in led to: the last answer, the phone, codes if they were shown."""

    response: httpx.Response
    phone: Authenticator
    recovery: list[str] = field(default_factory=list)


def enrol(session: Session, keys: ServerKeys, officer: Officer) -> Authenticator:
    """Give an officer a second factor, as if it had been set up some time ago."""
    seed = one_time_codes.new_seed()
    one_time_codes.put(session, keys, officer, seed, step=0)
    return Authenticator(seed)


async def sign_in(
    client: httpx.AsyncClient,
    login: str,
    passphrase: str,
    phone: Authenticator | None,
    *,
    now: datetime,
) -> Arrived:
    """Sign in through the pages: passphrase, then code, or the set-up of a first factor."""
    door = Page(await client.get("/console/sign-in"))
    answer = await client.post(
        "/console/sign-in",
        data={**door.fields, "login": login, "passphrase": passphrase},
    )
    assert answer.status_code == 303, Page(answer).text
    asked = await client.get(answer.headers["location"], follow_redirects=True)
    if phone is None:
        return await _set_up(client, asked, now)
    fields = {**Page(asked).fields, "code": phone.code(now)}
    answer = await client.post("/console/sign-in/second", data=fields)
    return Arrived(answer, phone)


def seed_on(page: httpx.Response) -> bytes:
    """Read the secret from the page that offers it, as an officer who types it."""
    found = _SEED.search(page.text)
    assert found is not None, page.text
    return base64.b32decode(re.sub(r"<.*?>|\s", "", found[1]))


def codes_on(page: httpx.Response) -> list[str]:
    """Read the recovery codes from the page that shows them once."""
    return _CODE.findall(page.text)


async def _set_up(
    client: httpx.AsyncClient, offered: httpx.Response, now: datetime
) -> Arrived:
    phone = Authenticator(seed_on(offered))
    fields = {**Page(offered).fields, "code": phone.code(now)}
    answer = await client.post("/console/account/factor/set-up", data=fields)
    return Arrived(answer, phone, codes_on(answer))
