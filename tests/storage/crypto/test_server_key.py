"""A key ring with several ids: the newest writes, each one verifies, histories name theirs."""

import hmac

import pytest
from sqlmodel import select

from handlers.cases import officer
from storage import conversations
from storage.cases import cases, history
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import BadServerKey, Purpose, ServerKeys
from storage.inspection import chains
from storage.letters import sent
from storage.letters.letter import Letter
from storage.models import Case
from storage.words import Channel, LetterKind
from tests.conftest import NOW
from tests.support.desk import desk, with_keys

PLACE = Context("cases", b"row", "row")


def test_the_newest_name_stands_first(keys):
    wider = keys.with_new()
    newest, oldest = wider.look_ups(Purpose.INBOX, "telegram", "1")
    assert oldest == keys.look_up(Purpose.INBOX, "telegram", "1")
    assert newest == wider.look_up(Purpose.INBOX, "telegram", "1")
    assert newest != oldest


def test_what_is_not_ours_is_not_made_ours(keys):
    wider = keys.with_new()
    tag = keys.tag(PLACE, b"content")
    wider.check_tag(tag, PLACE, b"content")
    for spoilt in (b"", bytes(33), tag[:-1] + bytes((tag[-1] ^ 1,))):
        with pytest.raises(NotAuthentic):
            wider.check_tag(spoilt, PLACE, b"content")
    blob = keys.lock(Purpose.JOB, b"plain", PLACE)
    again = wider.relock(Purpose.JOB, blob, PLACE)
    assert (again[1], wider.unlock(Purpose.JOB, again, PLACE)) == (2, b"plain")
    with pytest.raises(NotAuthentic):
        wider.relock(Purpose.JOB, blob, Context("cases", b"other", "row"))


@pytest.mark.parametrize("text", ["", "1:", "x:y", "0:AAAA", "1:AAAA", "\N{SNOWMAN}"])
def test_what_is_no_key(text):
    with pytest.raises(BadServerKey, match="restore your copy"):
        ServerKeys.from_text(text)


def test_an_id_stands_once(keys):
    with pytest.raises(BadServerKey, match="two lines 1"):
        ServerKeys.from_text(keys.to_text() + ServerKeys.new().to_text())
    with pytest.raises(BadServerKey, match="no free id"):
        ServerKeys({255: bytes(32)}).with_new()


def test_a_repeat_is_known_after_the_key_changed(database, keys):
    wider = keys.with_new()
    seen = (Channel.TELEGRAM, "update-1")
    letter = Letter(kind=LetterKind.NOTICE, channel=Channel.SMS, to="+62", case="ab")
    with database.writing() as session:
        assert conversations.first_seen(session, keys, *seen, day=NOW.date())
        assert conversations.first_time(session, keys, "form", day=NOW.date())
        sent.put(session, keys, letter, "SM1", now=NOW)
    with database.writing() as session:
        assert not conversations.first_seen(session, wider, *seen, day=NOW.date())
        assert not conversations.first_time(session, wider, "form", day=NOW.date())
        assert sent.status(session, wider, Channel.SMS, "SM1", 1) == letter
        sent.drop(session, wider, Channel.SMS, "SM1", now=NOW)
        assert sent.status(session, wider, Channel.SMS, "SM1", 2) is None
        assert sent.knows(session, wider, Channel.SMS, "SM1")


def test_a_history_goes_on_under_a_new_key(database, keys):
    here = desk(database, keys)
    case, _ = here.reports("555")
    old = with_keys(here, keys.with_new())
    old.act(officer.take, case.report, by=here.house.supervisor.officer)
    with database.reading() as session:
        macs = [event.mac for event in history.of_case(session, case.report)]
        assert {mac[0] for mac in macs} == {1, 2}
        row = session.exec(select(Case)).one()
        assert history.first_broken(session, old.keys, row) is None
        assert history.first_broken(session, old.keys.without(1), row) == 1
        assert list(chains.problems(session, old.keys)) == []


def test_a_history_of_old_has_no_id_and_is_verified(database, keys):
    here = desk(database, keys)
    case, _ = here.reports("555")
    with database.writing() as session:
        row = session.exec(select(Case)).one()
        mac = history.START
        for event in history.of_case(session, case.report):
            event.mac = mac = history._mac(keys, mac, event, 1)[1:]  # noqa: SLF001 - as rows of old
            session.add(event)
        row.head = mac
        cases.save(session, keys, row)
    wider = keys.with_new()
    with database.reading() as session:
        row = session.exec(select(Case)).one()
        assert history.first_broken(session, keys, row) is None
        assert history.first_broken(session, wider, row) is None
    here = with_keys(here, wider)
    here.act(officer.take, case.report, by=here.house.supervisor.officer)
    with database.writing() as session:
        row = session.exec(select(Case)).one()
        assert history.first_broken(session, wider, row) is None
        first = history.of_case(session, case.report)[0]
        first.mac = hmac.digest(wider.ring[2], first.mac, "sha256")
        session.add(first)
        session.flush()
        assert history.first_broken(session, wider, row) == 1
