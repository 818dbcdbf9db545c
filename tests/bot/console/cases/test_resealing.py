"""After a rotation of the server key a sign-in lets the new key guard the passphrase."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from bot.console.app import routes
from storage.audit import log, manifests
from storage.people import officers
from storage.rekeying import server_key
from storage.words import Role
from tests.support import authenticator
from tests.support.browsers import Desk, make_office

pytestmark = pytest.mark.both_stores

PHRASE = "a phrase of sixteen"


async def test_a_sign_in_moves_the_wrap_to_the_newest_key(desk: Desk):
    account = officers.prepare_account(
        desk.keys, "wulan", "Wulan", Role.HANDLER, PHRASE, language="en"
    )
    with desk.database.writing() as session:
        officers.add(session, desk.keys, account)
    keys, now = desk.keys.with_new(), desk.clock()
    server_key.run(desk.database, keys, now=now, day=now.date())
    context = replace(desk.context, office=make_office(keys))
    desk.app = Starlette(routes=routes(context))
    phone = None
    for turn in range(2):
        desk.clock.pass_time(seconds=60)
        arrived = await authenticator.sign_in(
            desk.browser(), "wulan", PHRASE, phone, now=desk.clock()
        )
        assert arrived.response.status_code in {200, 303}, turn
        phone = arrived.phone
    with desk.database.reading() as session:
        after = officers.verified(session, keys, "wulan")
        assert after.secret[0] == keys.newest
        assert after.salt != account.salt
        secret = officers.unwrap(keys, after, PHRASE)
        assert secret == officers.unwrap(desk.keys, replace_row(after, account), PHRASE)
        codes = [line.code for line in log.lines(session)]
        assert codes.count("keys.rewrapped") == 1
        assert manifests.rolled_back(session, keys) == []
        assert log.verify(session, keys) is None


def replace_row(officer, account):
    """Return the account's row as it was before."""
    old = type(officer)(**officer.model_dump())
    old.salt, old.secret = account.salt, account.secret
    return old
