"""Every way out of a door: situation → answer → what is kept and counted.

Telegram repeats whatever is no 2xx for a day and holds up that chat meanwhile; Twilio
repeats it for seconds. So there is no other answer but a 2xx to what can never succeed.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from starlette.requests import ClientDisconnect, Request

from bot import webhooks
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.intake.intake import Intake
from bot.simulator.twilio.carrier import signature
from handlers import inbox
from handlers.conversation import receipt_lookup
from handlers.notices import reporters, statuses
from handlers.quarantine import keeping
from storage.models import Quarantine
from tests.support.doors import AUTH_TOKEN, OURS, PUBLIC, Doors, doors

STORY = "LAPOR bendahara memotong uang bantuan"
AWAY = OperationalError("", None, Exception("disk I/O error"))


class Way(NamedTuple):
    """A situation and where it leads; ``kept`` is what is left: reasons and cases."""

    label: str
    answer: int
    kept: tuple[str, ...] = ()
    counted: Mapping[str, int] = MappingProxyType({})
    spoil: tuple[tuple[object, str, object], ...] = ()
    body: Callable[[Doors], Any] = lambda door: door.update(STORY)
    secret: str | None = ""
    cases: int = 0
    told: int = 0


def fails(error: BaseException) -> Callable[..., None]:
    def spoilt(*_: object, **__: object) -> None:
        raise error

    return spoilt


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


def reasons(door: Doors) -> tuple[str, ...]:
    with door.app.database.reading() as session:
        return tuple(one.reason for one in session.exec(select(Quarantine)).all())


def spoil(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PATIENCE", 0.0)
    for owner, name, what in way.spoil:
        monkeypatch.setattr(owner, name, what)


def by_label(ways: Iterable[Way]) -> list[Any]:
    return [pytest.param(way, id=way.label) for way in ways]


BUG = fails(ZeroDivisionError())
ILL = fails(AWAY)
RECEIPT = "STATUS 7K3M-9QXB"

TELEGRAM = [
    Way("taken", 200, counted={"taken": 1}, cases=1, told=1),
    Way("an unknown kind", 200, body=lambda _: {"update_id": 1, "poll": {}}),
    Way("forged", 403, counted={"forged": 1}, secret=None),
    Way("another secret", 403, counted={"forged": 1}, secret="x" * 20),
    Way(
        "too large",
        200,
        ("telegram.size",),
        {"refused": 1, "quarantined": 1},
        body=lambda _: b"{" + b" " * (1 << 20),
    ),
    Way(
        "no JSON",
        200,
        ("telegram.json",),
        {"malformed": 1, "quarantined": 1},
        body=lambda _: b"{",
    ),
    Way(
        "no shape",
        200,
        ("telegram.shape",),
        {"quarantined": 1},
        body=lambda _: {"update_id": 1, "message": 7},
    ),
    Way(
        "parse has a fault",
        200,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((Telegram, "parse", BUG),),
    ),
    Way(
        "the verb has a fault",
        200,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((inbox, "receive", BUG),),
        told=1,
    ),
    Way(
        "the verb and the honest word have a fault",
        200,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((inbox, "receive", BUG), (reporters, "say", BUG)),
    ),
    Way(
        "looking for a receipt has a fault",
        200,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((receipt_lookup, "look", BUG),),
        body=lambda door: door.update(RECEIPT),
        told=1,
    ),
    Way(
        "the intake itself has a fault",
        200,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((Intake, "take", BUG),),
    ),
    Way("the store is ill", 503, spoil=((inbox, "receive", ILL),)),
    Way(
        "the store is ill while a receipt is looked for",
        503,
        spoil=((receipt_lookup, "look", ILL),),
        body=lambda door: door.update(RECEIPT),
    ),
    Way(
        "nothing can be kept",
        503,
        spoil=((keeping, "keep", BUG), (inbox, "receive", BUG)),
    ),
    Way(
        "no JSON, and nothing can be kept",
        503,
        counted={"malformed": 1},
        spoil=((keeping, "keep", BUG),),
        body=lambda _: b"{",
    ),
]


@pytest.mark.parametrize("way", by_label(TELEGRAM))
async def test_telegram(door: Doors, monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    spoil(way, monkeypatch)
    secret = {"secret": way.secret} if way.secret != "" else {}
    answer = await door.telegram(way.body(door), **secret)
    assert_way(door, way, answer, "telegram")


def sms(door: Doors) -> dict[str, str]:
    form: dict[str, str] = door.sms(STORY)
    return form


TWILIO = [
    Way("taken", 204, counted={"taken": 1}, body=sms, cases=1, told=1),
    Way(
        "a call of the fallback address",
        204,
        counted={"taken": 1},
        body=lambda door: sms(door) | {"ErrorCode": "11200", "ErrorUrl": PUBLIC},
        cases=1,
        told=1,
    ),
    Way("unsigned", 403, counted={"forged": 1}, body=sms, secret=None),
    Way("too large", 413, counted={"refused": 1}, body=lambda _: b"a" * (1 << 21)),
    Way(
        "no sender",
        204,
        ("twilio.From",),
        {"quarantined": 1},
        body=lambda door: sms(door) | {"From": ""},
    ),
    Way(
        "parse has a fault",
        204,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((Sms, "parse", BUG), (WhatsApp, "parse", BUG)),
        body=sms,
    ),
    Way(
        "the verb has a fault",
        204,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((inbox, "receive", BUG),),
        body=sms,
        told=1,
    ),
    Way(
        "the verb and the honest word have a fault",
        204,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((inbox, "receive", BUG), (reporters, "say", BUG)),
        body=sms,
    ),
    Way("the store is ill", 503, spoil=((inbox, "receive", ILL),), body=sms),
    Way(
        "nothing can be kept",
        503,
        spoil=((inbox, "receive", BUG), (keeping, "keep", BUG)),
        body=sms,
    ),
]


@pytest.mark.parametrize("way", by_label(TWILIO))
async def test_twilio(door: Doors, monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    spoil(way, monkeypatch)
    signed = "" if way.secret is None else None
    answer = await door.twilio("sms", way.body(door), signed)
    assert_way(door, way, answer, "sms")


STATUS = {"MessageSid": "SM1", "MessageStatus": "sent", **OURS}
STATUSES = [
    Way("of a letter of ours or not", 204, body=lambda _: STATUS),
    Way("of an unknown kind", 204, body=lambda _: STATUS | {"MessageStatus": "lost"}),
    Way(
        "misshapen",
        204,
        counted={"malformed": 1},
        body=lambda _: STATUS | {"ErrorCode": "x"},
    ),
    Way(
        "the verb has a fault",
        204,
        ("ZeroDivisionError",),
        {"quarantined": 1},
        spoil=((statuses, "apply", BUG),),
        body=lambda _: STATUS,
    ),
    Way(
        "the store is ill",
        503,
        spoil=((statuses, "apply", ILL),),
        body=lambda _: STATUS,
    ),
    Way("unsigned", 403, counted={"forged": 1}, body=lambda _: STATUS, secret=None),
]


@pytest.mark.parametrize("way", by_label(STATUSES))
async def test_twilios_statuses(
    door: Doors, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    spoil(way, monkeypatch)
    signed = "" if way.secret is None else None
    answer = await door.twilio("status", way.body(door), signed)
    assert_way(door, way, answer, "sms")


def assert_way(door: Doors, way: Way, answer: httpx.Response, channel: str) -> None:
    assert answer.status_code == way.answer
    assert answer.content == b""
    assert ("retry-after" in answer.headers) == (way.answer == 503)
    assert reasons(door) == way.kept
    outcomes = ("taken", "repeat", "forged", "quarantined", "refused", "malformed")
    counted = {name: door.counted(channel, name) for name in outcomes}
    assert {name: n for name, n in counted.items() if n} == way.counted
    assert len(door.cases()) == way.cases
    assert len(door.letters()) == way.told


async def test_what_was_kept_twice_stumbling_is_kept_once(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "receive", BUG)
    monkeypatch.setattr(reporters, "say", BUG)
    update = door.update(STORY)
    for _ in range(2):
        assert (await door.telegram(update)).status_code == 200
    assert reasons(door) == ("ZeroDivisionError",)
    assert door.counted("telegram", "repeat") == 1


async def test_a_fallback_call_after_a_lost_answer_is_a_repeat(door: Doors) -> None:
    form = sms(door)
    again = form | {"ErrorCode": "11200", "ErrorUrl": f"{PUBLIC}/webhooks/twilio/sms"}
    for one in (form, again):
        assert (await door.twilio("sms", one)).status_code == 204
    assert len(door.cases()) == 1
    assert door.counted("sms", "repeat") == 1


async def test_the_signature_covers_no_fragment(door: Doors) -> None:
    """Twilio keeps ``#rc=3&…`` to itself: it signs and calls the address before it."""
    form, url = sms(door), f"{PUBLIC}/webhooks/twilio/sms"
    with_it = signature(AUTH_TOKEN, f"{url}#rc=3&rp=ct,rt,5xx", form)
    assert (await door.twilio("sms", form, with_it)).status_code == 403
    without = signature(AUTH_TOKEN, url, form)
    assert (await door.twilio("sms", form, without)).status_code == 204


async def test_a_body_that_is_cut_keeps_nothing(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(_: Request) -> AsyncIterator[bytes]:
        yield b'{"update_id"'
        raise ClientDisconnect

    before = door.rows()
    monkeypatch.setattr(Request, "stream", cut)
    assert (await door.telegram(door.update(STORY))).status_code == 400
    assert (await door.twilio("sms", sms(door))).status_code == 400
    assert door.rows() == before
