"""The doors: who may come in, what is too much, what is kept in quarantine, and never twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from bot.intake.bodies import HEAD_BYTES, MOST_BYTES
from bot.simulator.twilio.carrier import signature
from storage import quarantine
from storage.models import Quarantine
from tests.support.doors import (
    AUTH_TOKEN,
    OURS,
    PUBLIC,
    SECRET,
    SMS_NUMBER,
    WHATSAPP_NUMBER,
    Doors,
    doors,
)
from tests.support.places import PAYLOADS

UPDATES: dict[str, Any] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((PAYLOADS / "telegram").glob("*.json"))
}
STORY = "Kepala dinas meminta uang untuk izin usaha"


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


def reasons(door: Doors) -> list[str]:
    """Return why things are in quarantine."""
    with door.app.database.reading() as session:
        return [row.reason for row in session.exec(select(Quarantine)).all()]


@pytest.mark.parametrize("previous", ["the-token-of-yesterday", ""])
async def test_while_the_token_changes_two_sign(tmp_path: Path, previous: str) -> None:
    more = {"TWILIO__PREVIOUS_AUTH_TOKEN": previous} if previous else {}
    url = f"{PUBLIC}/webhooks/twilio/sms"
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path, **more) as door:
        for token, answer in ((AUTH_TOKEN, 204), (previous, 204 if previous else 403)):
            form = door.sms("LAPOR")
            signed = signature(token, url, form)
            assert (await door.twilio("sms", form, signed)).status_code == answer


async def test_forged_requests_leave_a_counter_and_nothing_else(door: Doors) -> None:
    before = door.rows()
    update, form = door.update(f"LAPOR {STORY}"), door.sms(f"LAPOR {STORY}")
    url = f"{PUBLIC}/webhooks/twilio/sms"
    right = signature(AUTH_TOKEN, url, form)
    status = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    forged = {
        "no secret": await door.telegram(update, None),
        "wrong secret": await door.telegram(update, "wrong"),
        "secret with more": await door.telegram(update, SECRET + "x"),
        "part of the secret": await door.telegram(update, SECRET[:-1]),
        "unsigned": await door.twilio("sms", form, ""),
        "no base64": await door.twilio("sms", form, "not base64!"),
        "other token": await door.twilio("sms", form, signature("other", url, form)),
        "other body": await door.twilio("sms", form | {"Body": "LAPOR lain"}, right),
        "one more field": await door.twilio("sms", form | {"Extra": "1"}, right),
        "other door": await door.twilio("whatsapp", form, right),
        "other address": await door.twilio(
            "sms", form, signature(AUTH_TOKEN, url + "/", form)
        ),
        "status": await door.twilio("status", status, right),
        "no form": await door.twilio("sms", b"&" * 2000, right),
    }
    assert {
        name: answer.status_code for name, answer in forged.items()
    } == dict.fromkeys(forged, 403)
    assert door.rows() == before
    assert all(not answer.content for answer in forged.values())
    came = sum(door.counted(one, "forged") for one in ("telegram", "sms", "whatsapp"))
    assert came == len(forged)


ACCOUNT = OURS["AccountSid"]
STRANGERS: list[Any] = [
    pytest.param(door, {field: value}, id=f"{door} {field}={value}")
    for door, field, *values in (
        ("sms", "AccountSid", f"AC{6:032x}", ""),
        ("sms", "To", WHATSAPP_NUMBER, f"{SMS_NUMBER}0", SMS_NUMBER[1:], ""),
        ("whatsapp", "AccountSid", ACCOUNT.lower(), ACCOUNT[:-1]),
        ("whatsapp", "To", WHATSAPP_NUMBER, f"whatsapp:{SMS_NUMBER}", ""),
        ("status", "AccountSid", f"AC{6:032x}", ""),
        ("status", "From", "+15005550099", f"whatsapp:{SMS_NUMBER}", ""),
    )
    for value in values
]


def call(door: Doors, kind: str) -> Any:
    """Return what Twilio posts to a door of ours."""
    if kind == "status":
        return {"MessageSid": "SM9", "MessageStatus": "sent", **OURS}
    if kind == "whatsapp":
        number = f"whatsapp:{WHATSAPP_NUMBER}"
        return door.sms(f"LAPOR {STORY}", "whatsapp:+6281200000002", To=number)
    return door.sms(f"LAPOR {STORY}")


@pytest.mark.parametrize(("kind", "strange"), STRANGERS)
async def test_what_an_account_signed_for_others_is_refused(
    lite: Doors, kind: str, strange: dict[str, str]
) -> None:
    """One token signs for every number of its account, and for its sub-accounts."""
    ours = call(lite, kind)
    before = lite.rows()
    assert (await lite.twilio(kind, ours | strange)).status_code == 403
    assert lite.rows() == before
    channel = "sms" if kind == "status" else kind
    assert lite.counted(channel, "forged") == 1
    assert (await lite.twilio(kind, ours)).status_code == 204


async def test_the_right_ones_get_an_empty_answer(door: Doors) -> None:
    answers = {
        "telegram": await door.telegram(door.update(f"LAPOR {STORY}")),
        "sms": await door.twilio("sms", door.sms(f"LAPOR {STORY}")),
        "whatsapp": await door.twilio(
            "whatsapp",
            door.sms(
                f"LAPOR {STORY}",
                "whatsapp:+6281200000002",
                To="whatsapp:+15005550007",
                ExternalUserId="whatsapp:ID.123",
            ),
        ),
        "status": await door.twilio(
            "status", {"MessageSid": "SM9", "MessageStatus": "sent", **OURS}
        ),
    }
    assert {name: one.status_code for name, one in answers.items()} == {
        "telegram": 200,
        "sms": 204,
        "whatsapp": 204,
        "status": 204,
    }
    assert all(not one.content for one in answers.values())
    assert len(door.cases()) == 3


async def chunked(size: int) -> AsyncIterator[bytes]:
    """Give a body without saying how long it will be."""
    for _ in range(size // 65_536 + 1):
        yield b" " * 65_536


async def test_an_update_of_more_than_a_mebibyte_never_comes_again(lite: Doors) -> None:
    """Telegram repeats whatever got no 2xx for a day, and nothing else of that chat."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    declared = await lite.telegram(b" " * (MOST_BYTES + 1))
    unsaid = await lite.client.post(
        "/webhooks/telegram", content=chunked(MOST_BYTES), headers=headers
    )
    lied = await lite.client.post(
        "/webhooks/telegram",
        content=chunked(MOST_BYTES),
        headers=headers | {"Content-Length": "10"},
    )
    assert [one.status_code for one in (declared, unsaid, lied)] == [200] * 3
    assert reasons(lite) == ["telegram.size"] * 3
    assert lite.counted("telegram", "refused") == 3
    with lite.app.database.reading() as session:
        kept = session.exec(select(Quarantine)).all()
    assert [len(quarantine.opened(row, lite.vault_secret())) for row in kept] == [
        HEAD_BYTES
    ] * 3


async def test_a_form_of_more_than_a_mebibyte_is_refused(lite: Doors) -> None:
    """Twilio has no such form; nobody has shown a secret, so nothing is kept."""
    before = lite.rows()
    form = await lite.twilio("sms", lite.sms("a" * MOST_BYTES))
    assert form.status_code == 413
    assert lite.rows() == before
    assert lite.counted("sms", "refused") == 1


async def test_what_is_just_small_enough_is_taken(lite: Doors) -> None:
    body = json.dumps(lite.update("/start")).encode()
    padded = body + b" " * (MOST_BYTES - len(body))
    assert (await lite.telegram(padded)).status_code == 200
    assert len(lite.letters()) == 1


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "half": b'{"update_id": 1, "message": {',
    "no JSON": b"hello",
    "no UTF-8": b'{"update_id": "\xff\xfe"}',
    "a list": b"[1, 2]",
    "a word": b'"update"',
    "null": b"null",
    "deep": b"[" * 100_000,
    "no number": b'{"message": {}}',
    "a text as number": b'{"update_id": "7", "message": {}}',
    "a huge number": b'{"update_id": 1' + b"0" * 60 + b', "message": {}}',
    "no chat": b'{"update_id": 3, "message": {"message_id": 1, "date": 1}}',
    "chat is a list": b'{"update_id": 4, "message": {"message_id": 1, "date": 1, "chat": []}}',
    "text is an object": b'{"update_id": 5, "message": {"message_id": 1, "date": 1, "text": {},'
    b'"chat": {"id": 1, "type": "private"}, "from": {"id": 1, "is_bot": false}}}',
    "infinite": b'{"update_id": Infinity, "message": {}}',
}


async def test_broken_updates_are_kept_in_quarantine_and_answered(door: Doors) -> None:
    for name, body in BROKEN.items():
        answer = await door.telegram(body)
        assert answer.status_code == 200, name
    assert len(reasons(door)) == len(BROKEN)
    assert door.counted("telegram", "quarantined") == len(BROKEN)
    assert door.letters() == []


async def test_broken_forms_are_kept_in_quarantine_and_answered(door: Doors) -> None:
    whole = door.sms("halo")
    broken: dict[str, dict[str, str]] = {
        "nothing but to whom": {"AccountSid": ACCOUNT, "To": SMS_NUMBER},
        "no id": {name: one for name, one in whole.items() if name != "MessageSid"},
        "no sender": {name: one for name, one in whole.items() if name != "From"},
        "a long sender": whole | {"From": "+" + "1" * 500},
        "files that are no number": whole | {"NumMedia": "many"},
        "a million files": whole | {"NumMedia": "1000000"},
        "fewer than no files": whole | {"NumMedia": "-1"},
    }
    for name, form in broken.items():
        assert (await door.twilio("sms", form)).status_code == 204, name
    assert len(reasons(door)) == len(broken)
    strange = {"MessageSid": "SM1", "MessageStatus": "sent", "ErrorCode": "x", **OURS}
    assert (await door.twilio("status", strange)).status_code == 204
    unknown = {"MessageSid": "SM1", "MessageStatus": "teleported", **OURS}
    assert (await door.twilio("status", unknown)).status_code == 204
    assert door.counted("sms", "malformed") == 1


async def test_every_known_update_is_answered_once(lite: Doors) -> None:
    for name, update in UPDATES.items():
        first = await lite.telegram(update)
        after = lite.rows()
        again = await lite.telegram(update)
        assert [first.status_code, again.status_code] == [200, 200], name
        assert lite.rows() == after, name
    assert len(UPDATES) > 30
    assert reasons(lite) == []


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
async def test_repeats_make_no_second_anything(door: Doors, *, at_once: bool) -> None:
    update, form = door.update(f"LAPOR {STORY}"), door.sms(f"LAPOR {STORY}")
    knocks = [lambda: door.telegram(update), lambda: door.twilio("sms", form)] * 3
    if at_once:
        answers = await asyncio.gather(*(knock() for knock in knocks))
    else:
        answers = [await knock() for knock in knocks]
    assert all(answer.is_success for answer in answers)
    rows = door.rows()
    assert (rows["inbox"], rows["cases"], rows["outbox"]) == (2, 2, 2)
    assert [len(door.read(case)) for case in door.cases()] == [1, 1]
    assert door.counted("sms", "repeat") == 2
    assert door.counted("telegram", "repeat") == 2


async def test_an_edit_is_another_wording_and_its_repeat_is_not(door: Doors) -> None:
    for text in ("LAPOR", "1", "1", "1", "1", "1", "LEWAT", "LEWAT", "7"):
        await door.telegram(door.update(text))
    told = door.update("Ia minta satu juta.")
    await door.telegram(told)
    edited = {
        "update_id": door.next(),
        "edited_message": told["message"] | {"text": "Ia minta dua juta."},
    }
    for _ in range(3):
        assert (await door.telegram(edited)).status_code == 200
    await door.telegram(door.update("KIRIM"))
    (case,) = door.cases()
    assert [(one.step, one.text) for one in door.read(case)] == [
        ("Q10", "Ia minta satu juta."),
        ("Q10", "Ia minta dua juta."),
    ]


async def test_only_post_is_known_here(lite: Doors) -> None:
    for path in ("/webhooks/telegram", "/webhooks/twilio/sms"):
        assert (await lite.client.get(path)).status_code == 405


async def test_a_status_of_an_unknown_letter_erases_its_copy_once(lite: Doors) -> None:
    status = {"MessageSid": "SM77", "MessageStatus": "delivered", **OURS}
    answers: list[httpx.Response] = await asyncio.gather(
        *(lite.twilio("status", status) for _ in range(3))
    )
    assert [one.status_code for one in answers] == [204] * 3
    assert lite.rows()["jobs"] == 1
