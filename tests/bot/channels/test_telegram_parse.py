"""What Telegram sends, and what the house hears: one line a payload."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import telegram_content
from bot.channels.base import Unparseable
from bot.channels.telegram import Telegram, chat_of, verify
from handlers.messages import Incoming, Kind, Media
from storage.words import Channel, Mark
from tests.support.places import ROOT

PAYLOADS = ROOT / "tests" / "payloads" / "telegram"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SENT = datetime.fromtimestamp(1795000000, UTC)
LATER = SENT + timedelta(seconds=60)
FORWARDED = (Mark.FORWARDED,)
SITI, GROUP = "7000000001", "-1001234567890"
PHOTO = Media("AgACbig", "image/jpeg", "", 84321)


def payload(name):
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))


@pytest.fixture
async def telegram():
    adapter = Telegram("123456:abc", api_base_url="http://127.0.0.1:1/bot")
    yield adapter
    await adapter.stop()


def heard(update_id, kind, **fields):
    usual = Incoming(
        Channel.TELEGRAM,
        SITI,
        str(update_id),
        SENT,
        kind,
        order=update_id,
        message_id=41,
        language_hint="id",
    )
    return replace(usual, **fields)


MESSAGES = [
    ("text", Kind.TEXT, {"text": "Ada pungutan di loket 😀"}),
    ("start_deep_link", Kind.TEXT, {"text": "/start ref-1"}),
    ("photo_caption", Kind.MEDIA, {"text": "Kuitansi palsu", "media": (PHOTO,)}),
    ("album_part", Kind.MEDIA, {"media": (PHOTO,), "group": "13579"}),
    (
        "document",
        Kind.MEDIA,
        {"media": (Media("BQAC1", "application/pdf", "bukti.pdf", 5000),)},
    ),
    (
        "document_too_big",
        Kind.MEDIA,
        {"media": (Media("BQAC2", "application/zip", "bukti.zip", 20971521, "X04"),)},
    ),
    ("video", Kind.MEDIA, {"media": (Media("BAAC1", "video/mp4", "v.mp4", 9000),)}),
    ("voice", Kind.MEDIA, {"media": (Media("AwAC1", "audio/ogg", "", 7000),)}),
    ("audio", Kind.MEDIA, {"media": (Media("CQAC1", "audio/mpeg", "a.mp3", 7100),)}),
    ("video_note", Kind.MEDIA, {"media": (Media("DQAC1", "video/mp4", "", 7200),)}),
    ("animation", Kind.MEDIA, {"media": (Media("CgAC1", "video/mp4", "g.mp4", 300),)}),
    (
        "live_photo",
        Kind.MEDIA,
        {"media": (PHOTO, Media("LpAC1", "video/mp4", "", 90000))},
    ),
    ("location", Kind.LOCATION, {"text": "-6.175392,106.827153"}),
    (
        "venue",
        Kind.LOCATION,
        {"text": "-6.900000,107.600000\nKantor Kecamatan\nJalan Contoh 1"},
    ),
    ("contact_own", Kind.CONTACT, {"text": "self: Siti Contoh, +620000000001"}),
    ("contact_other", Kind.CONTACT, {"text": "Budi, +620000000002"}),
    ("rich_message", Kind.TEXT, {"text": "Laporan\nSaya melihat \nsuap"}),
    ("sticker", Kind.UNSUPPORTED, {}),
    ("dice", Kind.UNSUPPORTED, {}),
    ("poll", Kind.UNSUPPORTED, {}),
    ("story", Kind.UNSUPPORTED, {}),
    ("unheard_of", Kind.UNSUPPORTED, {}),
    (
        "edit",
        Kind.EDIT,
        {"text": "Ada pungutan di loket 3", "received": SENT + timedelta(seconds=60)},
    ),
    (
        "edit_live_location",
        Kind.MOVED,
        {
            "text": "-6.200000,106.800000",
            "live": True,
            "message_id": 42,
            "received": SENT + timedelta(seconds=90),
        },
    ),
    (
        "press",
        Kind.PRESS,
        {
            "press": "ab12.3.1",
            "press_id": "4382bfdwdsb323b2d9",
            "message_id": 55,
            "received": NOW,
        },
    ),
    (
        "press_inaccessible",
        Kind.PRESS,
        {
            "press": "ab12.3.2",
            "press_id": "4382bfdwdsb323b2da",
            "message_id": 56,
            "received": NOW,
        },
    ),
    ("quoted_reply", Kind.TEXT, {"text": "Selalu setelah makan siang", "quotes": "87"}),
    ("quoted_keyword", Kind.TEXT, {"text": "BERHENTI", "quotes": "87"}),
    (
        "quoted_photo",
        Kind.MEDIA,
        {"text": "ini amplopnya", "media": (PHOTO,), "quotes": "87"},
    ),
    (
        "quoted_edit",
        Kind.EDIT,
        {"text": "Selalu setelah salat Jumat", "quotes": "87", "received": LATER},
    ),
    ("quoted_from_elsewhere", Kind.TEXT, {"text": "lihat ini"}),
    ("forwarded_from_a_person", Kind.TEXT, {"text": "Batal", "marks": FORWARDED}),
    ("forwarded_from_a_hidden_person", Kind.TEXT, {"text": "Ya", "marks": FORWARDED}),
    (
        "forwarded_from_a_channel",
        Kind.MEDIA,
        {"text": "tender", "media": (PHOTO,), "marks": FORWARDED},
    ),
    (
        "forwarded_from_a_group",
        Kind.MEDIA,
        {"media": (Media("AwAC1", "audio/ogg", "", 7000),), "marks": FORWARDED},
    ),
    ("via_bot", Kind.TEXT, {"text": "Jalan Contoh 1", "marks": (Mark.VIA_BOT,)}),
    ("live_location", Kind.LOCATION, {"text": "-6.200000,106.800000", "live": True}),
    (
        "live_location_ended",
        Kind.MOVED,
        {"text": "-6.250000,106.850000", "received": LATER},
    ),
    ("location_zero", Kind.LOCATION, {"text": "0.000000,0.000000"}),
    (
        "edit_caption",
        Kind.EDIT,
        {"text": "Kuitansi asli", "media": (PHOTO,), "received": LATER},
    ),
    (
        "edit_photo",
        Kind.EDIT,
        {"media": (replace(PHOTO, reference="AgACother"),), "received": LATER},
    ),
    (
        "edit_receipt",
        Kind.EDIT,
        {"text": "7K3M-9QXB 1234-5678-9012-3452", "received": LATER},
    ),
    ("checklist", Kind.TEXT, {"text": "Bukti\n- kuitansi\n- rekaman"}),
    ("paid_media", Kind.UNSUPPORTED, {}),
    ("giveaway", Kind.UNSUPPORTED, {}),
    ("game", Kind.UNSUPPORTED, {}),
    ("invoice", Kind.UNSUPPORTED, {}),
    ("nothing_at_all", Kind.UNSUPPORTED, {}),
    (
        "controls",
        Kind.TEXT,
        {"text": "Pak\0 Rudi \u202e3 juta\u202c \u200f\x07selesai"},
    ),
    ("blocked", Kind.BLOCKED, {"message_id": 0, "language_hint": ""}),
    ("unblocked", Kind.UNBLOCKED, {"message_id": 0, "language_hint": ""}),
]


@pytest.mark.parametrize(
    ("name", "kind", "fields"), MESSAGES, ids=[m[0] for m in MESSAGES]
)
async def test_what_a_person_does(telegram, name, kind, fields):
    raw = payload(name)
    assert telegram.parse(raw, now=NOW) == (heard(raw["update_id"], kind, **fields),)


@pytest.mark.parametrize(
    "name",
    [
        "pinned",
        "added_to_group",
        "channel_post",
        "from_a_bot",
        "reaction",
        "giveaway_completed",
        "timer_changed",
        "title_changed",
        "group_migrated",
        "group_came_from",
    ],
)
async def test_what_needs_no_answer(telegram, name):
    assert telegram.parse(payload(name), now=NOW) == ()


@pytest.mark.parametrize(
    ("name", "username", "addressed"),
    [
        ("group_command", "", True),
        ("group_command", "kentongan_bot", True),
        ("group_command_named", "", True),
        ("group_command_named", "kentongan_bot", True),
        ("group_command_other_bot", "kentongan_bot", False),
        ("group_mention", "Kentongan_bot", True),
        ("group_mention", "", False),
        ("group_mention", "lain_bot", False),
        ("group_reply", "", True),
        ("group_anonymous_admin", "kentongan_bot", True),
        ("group_start_link", "kentongan_bot", True),
        ("group_chatter", "kentongan_bot", False),
    ],
)
async def test_groups_are_heard_only_when_they_call_the_bot(
    telegram, name, username, addressed
):
    telegram.me = telegram_content.Me(123456, username)
    raw = payload(name)
    wanted = Incoming(Channel.TELEGRAM, GROUP, str(raw["update_id"]), SENT, Kind.GROUP)
    assert telegram.parse(raw, now=NOW) == ((wanted,) if addressed else ())


async def test_a_text_mention_calls_the_bot(telegram):
    raw = payload("group_chatter")
    entity = {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 123456}}
    raw["message"]["entities"] = [entity]
    assert telegram.parse(raw, now=NOW)[0].kind is Kind.GROUP


async def test_an_edit_in_a_group_is_not_heard(telegram):
    raw = payload("group_command")
    raw["edited_message"] = raw.pop("message")
    assert telegram.parse(raw, now=NOW) == ()


def nested(depth):
    part: object = "x"
    for _ in range(depth):
        part = [part]
    return {"blocks": part}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(["update_id"], None, id="no number"),
        pytest.param(["update_id"], "900", id="a number as text"),
        pytest.param(["update_id"], True, id="a truth as number"),
        pytest.param(["message", "chat", "id"], 1 << 52, id="more than 52 bits"),
        pytest.param(["message", "chat", "id"], 1.5, id="a fraction"),
        pytest.param(["message"], [], id="a message that is none"),
        pytest.param(["message", "chat"], "x", id="a chat that is none"),
        pytest.param(["message", "from"], None, id="no sender"),
        pytest.param(["message", "text"], 5, id="a text that is none"),
        pytest.param(["message", "photo"], [], id="a photo without sizes"),
        pytest.param(["message", "document"], {}, id="a file without id"),
        pytest.param(
            ["message", "document"],
            {"file_id": "a", "file_size": -1},
            id="a negative size",
        ),
        pytest.param(
            ["message", "location"], {"latitude": "x", "longitude": 1}, id="no place"
        ),
        pytest.param(
            ["message", "location"],
            {"latitude": 1e999, "longitude": 1},
            id="an endless place",
        ),
        pytest.param(
            ["message", "contact"], {"phone_number": "1"}, id="a contact without name"
        ),
        pytest.param(["message", "rich_message"], nested(5000), id="a bottomless text"),
    ],
)
async def test_a_strange_shape_goes_to_quarantine_without_its_content(
    telegram, path, value
):
    raw = payload("text")
    target = raw
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    with pytest.raises(Unparseable) as caught:
        telegram.parse(raw, now=NOW)
    assert caught.value.code in {"telegram.shape", "telegram.number"}
    assert str(caught.value) == f"{Unparseable.__doc__} [{caught.value.code}]"


@pytest.mark.parametrize("date", [None, "x", -5, 0, 10**15, True])
async def test_a_strange_date_is_now(telegram, date):
    raw = payload("text")
    raw["message"]["date"] = date
    assert telegram.parse(raw, now=NOW)[0].received == NOW


async def test_a_lone_surrogate_is_replaced(telegram):
    raw = payload("text")
    raw["message"]["text"] = "a\ud800b😀"
    assert telegram.parse(raw, now=NOW)[0].text == "a\ufffdb😀"


async def test_a_person_without_language(telegram):
    raw = payload("text")
    del raw["message"]["from"]["language_code"]
    assert telegram.parse(raw, now=NOW)[0].language_hint == ""


@pytest.mark.parametrize(
    ("name", "chat"),
    [
        ("text", int(SITI)),
        ("edit", int(SITI)),
        ("press", int(SITI)),
        ("blocked", int(SITI)),
        ("group_chatter", int(GROUP)),
        ("reaction", 0),
    ],
)
def test_the_chat_that_orders_an_update(name, chat):
    assert chat_of(payload(name)) == chat


@pytest.mark.parametrize(
    "raw", [{}, {"message": None}, {"message": {"chat": {"id": "x"}}}]
)
def test_a_strange_update_has_no_chat(raw):
    assert chat_of(raw) == 0


@pytest.mark.parametrize(
    ("header", "secret", "good"),
    [
        ("right", "right", True),
        ("wrong", "right", False),
        (None, "right", False),
        ("", "", False),
        ("r\ud800ght", "right", False),
    ],
)
def test_the_secret_token(header, secret, good):
    assert verify(header, secret) is good
