"""Every form of the console with odd values, through the real application: never a 500."""

from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from starlette.routing import Mount, Route
from typing_extensions import override

from bot.console.visit import HOME
from storage.people import sessions
from storage.words import Role
from tests.bot.console import conftest
from tests.support.browsers import Desk
from tests.support.founded import Person, person
from tests.tools.fuzzing.mutating import DIGITS

ODD = ("", "\0\ud83d", DIGITS, "9999-99-99", "²", "zz" * 16)
FORM = {"content-type": "application/x-www-form-urlencoded"}
FIELDS = {"input", "select", "textarea", "button"}
SLOW = ("passphrase", "sign-in", "prove", "join", "new-key")
"""Forms behind which a passphrase is stretched: one odd value will do."""
desk = conftest.desk
blob_store = conftest.blob_store
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Forms(HTMLParser):
    """The forms of a page: where they go, and their fields with what stands in them."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = defaultdict(dict)
        self._path, self._action = path, ""
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self._action = given.get("action") or self._path
        elif tag in FIELDS and given.get("name") and self._action:
            fields = self.found[self._action]
            fields.setdefault(given["name"], given.get("value", ""))


def posted(fields: dict[str, str]) -> bytes:
    """Return fields as a browser posts them, were it to send lone surrogates."""
    pairs = ((name, value.encode("utf-8", "surrogatepass")) for name, value in fields.items())  # fmt: skip
    return urlencode(list(pairs)).encode("ascii")


def addresses(desk: Desk) -> Iterator[str]:
    """Yield the pages of the router."""
    mount = desk.app.routes[1]
    assert isinstance(mount, Mount)
    number = desk.case().number
    for route in mount.routes:
        if isinstance(route, Route) and "{path:path}" not in route.path:
            path = route.path.replace("{number}", number)
            yield HOME + path.replace("{", "00" * 16 + "{").partition("{")[0]


def officers(desk: Desk) -> Iterator[Person]:
    yield desk.house.supervisor
    yield desk.house.custodian
    with desk.database.writing() as session:
        yield person(session, desk.keys, "fuzzed-admin", Role.ADMIN)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_no_form_falls_over_odd_values(desk: Desk) -> None:
    tried = taken = 0
    known: set[str] = set()
    paths = list(dict.fromkeys(addresses(desk)))
    for officer in list(officers(desk)):
        client = desk.signed_in(officer)
        forms: dict[str, dict[str, str]] = {}
        for path in paths:
            page = await client.client.get(path)
            assert page.status_code < 500, path
            forms |= Forms(path, page.text).found
        assert forms
        for action, fields in forms.items():
            if action.endswith("/sign-out"):
                continue
            client = desk.signed_in(officer)  # the last form may have ended it
            token = sessions.form_token(client.cookie)
            slow = any(word in action for word in SLOW)
            # The first who meets a form tries everything, the others one odd value.
            for odd in ODD[1:2] if action in known else ODD[:1] if slow else ODD:
                for name in [one for one in fields if one != "token"] or [""]:
                    sent = {**fields, name: odd, "token": token}
                    answer = await client.client.post(
                        action, content=posted(sent), headers=FORM
                    )
                    assert answer.status_code < 500, (action, name, odd[:20])
                    tried += 1
                    taken += answer.status_code not in {403, 404}
            known.add(action)
    assert taken > 50, (tried, taken)
