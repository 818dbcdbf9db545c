"""Passkeys with a real Chromium and its virtual authenticator, and by forged answers."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # it has no stubs
    Axe,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright
from sqlmodel import select
from webauthn.helpers import bytes_to_base64url, encode_cbor

from bot.console.visit import COOKIE
from storage.audit import log
from storage.models import Passkey as Row
from storage.people import officers, passkeys
from storage.people.passkeys import Passkey
from tests.support import authenticator
from tests.support.browsers import HOST, ORIGIN, Browser, Desk, half_way
from tests.support.browsers import Page as Shown
from tests.support.chromium import ARGUMENTS, CHROMIUM
from tests.support.founded import Person
from tests.support.serving import served


def codes(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        lines = reversed(log.lines(session))
        return [line.code for line in lines if not line.code.startswith("list.")]


@dataclass
class Key:
    """A security key made of an EC key: it signs whatever it is told to."""

    secret: ec.EllipticCurvePrivateKey
    id: bytes
    count: int = 1

    @classmethod
    def new(cls, name: bytes) -> "Key":
        return cls(ec.generate_private_key(ec.SECP256R1()), name)

    @property
    def public(self) -> bytes:
        numbers = self.secret.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def answer(
        self,
        challenge: str,
        *,
        origin: str = ORIGIN,
        name: str = HOST,
        flags: int = 5,
        kind: str = "webauthn.get",
    ) -> str:
        told = {"type": kind, "challenge": challenge, "origin": origin}
        client = json.dumps(told).encode()
        digest = hashes.Hash(hashes.SHA256())
        digest.update(name.encode())
        data = digest.finalize() + bytes((flags,)) + self.count.to_bytes(4, "big")
        digest = hashes.Hash(hashes.SHA256())
        digest.update(client)
        signed = self.secret.sign(data + digest.finalize(), ec.ECDSA(hashes.SHA256()))
        self.count += 1
        return json.dumps(
            {
                "id": bytes_to_base64url(self.id),
                "rawId": bytes_to_base64url(self.id),
                "type": "public-key",
                "response": {
                    "clientDataJSON": bytes_to_base64url(client),
                    "authenticatorData": bytes_to_base64url(data),
                    "signature": bytes_to_base64url(signed),
                },
            }
        )


def owned(desk: Desk, who: Person, name: bytes = b"key of sari") -> Key:
    """Give an officer a factor and a security key."""
    key = Key.new(name)
    with desk.database.writing() as session:
        officer = officers.by_id(session, desk.keys, who.officer.id)
        authenticator.enrol(session, desk.keys, officer)
        kept = Passkey(key.id, key.public, 0, "grey key", ("usb",))
        passkeys.add(session, desk.keys, officer.id, kept)
    return key


async def challenge(browser: Browser, path: str = "/sign-in/second") -> str:
    response = await browser.get(path)
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "publickey-credentials-get=(self)" in response.headers["permissions-policy"]
    shown = Shown(response)
    return str(json.loads(shown.asked)["challenge"])


@pytest.mark.both_stores
async def test_a_passkey_is_the_second_step(desk: Desk):
    key = owned(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    answer = key.answer(await challenge(browser))
    response = await browser.send("/sign-in/second", answer=answer, next="/mine")
    assert response.headers["location"] == "/console/mine"
    assert (await browser.get("/mine")).status_code == 200
    assert codes(desk) == ["signed_in"]
    with desk.database.reading() as session:
        (kept,) = passkeys.of_officer(
            session, desk.keys, desk.house.supervisor.officer.id
        )
        assert kept.count == 1
        row = session.exec(select(Row)).one()
    assert key.id not in row.name + row.blob
    assert key.public not in row.blob


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": f"http://{HOST}"},
        {"name": "elsewhere.example"},
        {"flags": 0},
        {"kind": "webauthn.create"},
    ],
)
async def test_an_answer_for_elsewhere_is_refused(desk: Desk, wrong: dict):
    key = owned(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    answer = key.answer(await challenge(browser), **wrong)
    response = await browser.send("/sign-in/second", answer=answer)
    assert response.status_code == 403
    assert codes(desk) == ["second_factor_wrong"]


@pytest.mark.both_stores
async def test_a_challenge_is_of_this_session_this_act_and_counts_once(desk: Desk):
    who = desk.house.supervisor
    key = owned(desk, who)
    first, second = half_way(desk, who), half_way(desk, who)
    asked = await challenge(first)
    other = await challenge(second)
    raw = base64.urlsafe_b64decode(asked + "=" * (-len(asked) % 4))
    tampered = bytes_to_base64url(raw[:16] + b"\xff" * 8 + raw[24:])
    for bad in (other, tampered, "", "AAAA", bytes_to_base64url(bytes(56))):
        response = await first.send("/sign-in/second", answer=key.answer(bad))
        assert response.status_code in {303, 403}
        assert response.headers.get("location") != "/console/"
    full = desk.signed_in(who)
    desk.clock.pass_time(minutes=15)
    full = desk.signed_in(who)
    proving = await challenge(full, "/prove")
    wrong_act = half_way(desk, who)
    response = await wrong_act.send("/sign-in/second", answer=key.answer(proving))
    assert response.status_code == 403
    response = await full.send("/prove", answer=key.answer(proving))
    assert response.status_code == 303
    response = await full.send("/prove", answer=key.answer(proving))
    assert response.status_code == 403, "used before"
    late = await challenge(full, "/prove")
    desk.clock.pass_time(minutes=5)
    response = await full.send("/prove", answer=key.answer(late))
    assert response.status_code == 403


async def test_a_copied_key_is_noticed_by_its_counter(desk: Desk):
    key = owned(desk, desk.house.supervisor)
    key.count = 7
    browser = half_way(desk, desk.house.supervisor)
    answer = key.answer(await challenge(browser))
    assert (await browser.send("/sign-in/second", answer=answer)).status_code == 303
    copy = replace(key, count=7)
    again = half_way(desk, desk.house.supervisor)
    answer = copy.answer(await challenge(again))
    assert (await again.send("/sign-in/second", answer=answer)).status_code == 403


async def test_the_passkey_of_somebody_else_is_refused(desk: Desk):
    owned(desk, desk.house.supervisor)
    theirs = owned(desk, desk.house.custodian, b"key of wayan")
    browser = half_way(desk, desk.house.supervisor)
    answer = theirs.answer(await challenge(browser))
    assert (await browser.send("/sign-in/second", answer=answer)).status_code == 403


async def test_a_row_that_was_moved_or_put_back_does_not_count(desk: Desk):
    who = desk.house.supervisor
    key = owned(desk, who)
    with desk.database.writing() as session:
        row = session.exec(select(Row)).one()
        saved = row.model_dump()
        assert not passkeys.remove(
            session, desk.keys, desk.house.custodian.officer.id, row.name
        )
        assert passkeys.remove(session, desk.keys, who.officer.id, row.name)
    with desk.database.writing() as session:
        session.add(Row(**saved))
    browser = half_way(desk, who)
    assert "script" not in (await browser.get("/sign-in/second")).text
    response = await browser.send("/sign-in/second", answer=key.answer("AAAA"))
    assert response.status_code == 403


@pytest.mark.both_stores
async def test_to_prove_oneself_a_key_must_ask_the_person(desk: Desk):
    key = owned(desk, desk.house.supervisor)
    browser = desk.signed_in(desk.house.supervisor)
    desk.clock.pass_time(minutes=6)
    touched = key.answer(await challenge(browser, "/prove"), flags=1)
    assert (await browser.send("/prove", answer=touched)).status_code == 403
    asked = key.answer(await challenge(browser, "/prove"), flags=5)
    response = await browser.send("/prove", answer=asked, next="/mine")
    assert response.headers["location"] == "/console/mine"
    assert codes(desk) == ["second_factor_wrong", "proved"]


@pytest.mark.both_stores
@pytest.mark.parametrize(
    "answer",
    ["{", "[]", "1", "{}", '{"id":1}', "[" * 5000, '{"response":[]}', "\ud800"],
)
async def test_nonsense_is_refused_and_counted(desk: Desk, answer: str):
    owned(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    response = await browser.send(
        "/sign-in/second", answer=answer.encode("utf-8", "replace").decode()
    )
    assert response.status_code == 403
    assert codes(desk) == ["second_factor_wrong"]


async def test_by_a_number_there_is_no_passkey(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.client.get(
        "https://127.0.0.1/console/account/passkeys/new",
        headers={"cookie": f"{COOKIE}={browser.cookie}"},
    )
    assert "belongs to a name" in Shown(page).text
    assert "<script" not in page.text


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    async with served(desk.app) as url:
        yield f"{url.replace('127.0.0.1', 'localhost')}/console"


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS
        )
        yield await browser.new_context()
        await browser.close()


async def plug_in(page: Page) -> CDPSession:
    """Give the browser an authenticator that asks its person for a PIN."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp


async def give_cookie(context: BrowserContext, cookie: str, address: str) -> None:
    await context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": cookie,
                "url": address.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


@pytest.mark.browser
async def test_a_real_browser_makes_and_shows_a_passkey(
    desk: Desk, context: BrowserContext, address: str
):
    who = desk.house.supervisor
    with desk.database.writing() as session:
        officer = officers.by_id(session, desk.keys, who.officer.id)
        authenticator.enrol(session, desk.keys, officer)
    browser = desk.signed_in(who)
    await give_cookie(context, browser.cookie, address)
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await plug_in(page)
    await page.goto(f"{address}/account/passkeys/new")
    assert (await Axe().run(page)).response["violations"] == []
    await page.fill("#label", "Grey key")
    await page.locator("#passkey button").click()
    await page.wait_for_url(f"{address}/account?done=passkey")
    assert "Grey key" in await page.locator("main").inner_text()
    half = half_way(desk, who)
    await give_cookie(context, half.cookie, address)
    await page.goto(f"{address}/sign-in/second?next=/mine")
    assert (await Axe().run(page)).response["violations"] == []
    await page.locator("#passkey button").click()
    await page.wait_for_url(f"{address}/mine")
    desk.clock.pass_time(minutes=6)
    await page.goto(f"{address}/account/passkeys/new")
    assert "/prove?next=/account/passkeys/new" in page.url
    await page.locator("#passkey button").click()
    await page.wait_for_url(f"{address}/account/passkeys/new")
    await page.fill("#label", "The same once more")
    await page.locator("#passkey button").click()
    await page.locator("#passkey [role=alert]:not([hidden])").wait_for()
    assert problems == []
    assert codes(desk) == ["passkey_added", "signed_in", "proved"]
