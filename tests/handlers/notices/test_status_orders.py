"""Statuses come in any order and more than once: the end is the same."""

from itertools import permutations
from urllib.parse import urlencode

import pytest
from sqlmodel import select

from bot import webhooks
from bot.channels import twilio_forms
from handlers.conversation import clean_chat
from handlers.notices import reporters, statuses
from handlers.work import Work
from storage import outbox
from storage.cases import cases, history
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import jobs
from storage.models import Case, Departed
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Channel, JobKind, LetterKind
from tests.support.desk import STORY, Desk, desk

WHATSAPP = Channel.WHATSAPP
SETS = {
    "it was read": (("sent", 0), ("delivered", 0), ("read", 0)),
    "it was delivered": (("queued", 0), ("sent", 0), ("delivered", 0)),
    "the person is gone": (("queued", 0), ("sent", 0), ("failed", 30005)),
    "the number opted out": (("sent", 0), ("undelivered", 21610)),
    "twice": (("sent", 0), ("delivered", 0), ("delivered", 0)),
}


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def noticed(here: Desk, number: int) -> tuple[Case, str]:
    """Let a notice about a new case leave; return the case and the provider's id."""
    handle, provider_id = f"whatsapp:+62812{number:08}", f"SM{number}"
    known = {one.report for one in seen(here)}
    here.say(handle, STORY, channel=WHATSAPP)
    here.delivers(WHATSAPP)
    (case,) = (one for one in seen(here) if one.report not in known)
    wish = Subscriber(WHATSAPP, handle, "id", int(here.now.timestamp()))
    here.store(subscriptions.add, case.report, wish)
    here.act(_tell, case)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, WHATSAPP, limit=1, now=here.now)
    assert held.letter.kind is LetterKind.NOTICE
    assert here.act(clean_chat.sent, held, provider_id=provider_id, final=False)
    return case, provider_id


def seen(here: Desk) -> list[Case]:
    with here.database.reading() as session:
        return list(session.exec(select(Case)).all())


def _tell(work: Work, case: Case) -> None:
    row = cases.lock(work.store, work.keys, case.report)
    assert row is not None
    reporters.tell(work, row)


def posts(here: Desk, provider_id: str, state: str, code: int) -> None:
    """Post a status as Twilio does; what the door makes of it is done."""
    form = {"MessageSid": provider_id, "MessageStatus": state, "ErrorCode": str(code)}
    update = twilio_forms.parse_status(urlencode(form).encode())
    assert update is not None
    news = webhooks._news(update, WHATSAPP)  # noqa: SLF001 - what the door makes of it
    if not here.act(statuses.apply, news) and news.final:
        here.act(statuses.lost, news)


def end(here: Desk, case: Case, provider_id: str) -> tuple[int, int, list[str], bool]:
    """Return all that a status may change of one letter."""
    with here.database.reading() as session:
        owed = {job["id"] for job in jobs.waiting(session, here.keys, JobKind.ERASE)}
        return (
            len(session.exec(select(Departed)).all()),
            len(subscriptions.of_case(session, here.keys, case.report)),
            [event.code for event in history.of_case(session, case.report)],
            provider_id in owed,
        )


@pytest.mark.parametrize("statuses_of", SETS.values(), ids=SETS.keys())
def test_every_order_ends_the_same(
    here: Desk, statuses_of: tuple[tuple[str, int], ...]
) -> None:
    ends = []
    for number, order in enumerate(permutations(statuses_of)):
        case, provider_id = noticed(here, number)
        for state, code in order:
            posts(here, provider_id, state, code)
        ends.append(end(here, case, provider_id))
    assert ends == [ends[0]] * len(ends)
    departed, wishes, happened, erased = ends[0]
    assert (departed, erased) == (0, True)
    gone = any(code for _, code in statuses_of)
    assert (wishes, "unreachable" in happened) == (int(not gone), gone)
