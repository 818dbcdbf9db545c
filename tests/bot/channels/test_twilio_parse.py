"""What Twilio posts for SMS and WhatsApp, and what the house hears: one line a payload."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.channels import base, twilio_forms
from bot.channels.sms import Sms
from bot.channels.whatsapp import WhatsApp
from handlers.messages import Incoming, Kind, Media
from storage.words import Channel, Mark
from tests.support.places import PAYLOADS

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MEDIA = "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages"
NUMBER = "+620000000001"
SCOPED = "whatsapp:ID.4566000000000001"
ACCOUNT: dict[str, Any] = {
    "account_sid": "AC0",
    "auth_token": "t",
    "sender": "+15550006666",
    "api_base_url": "http://127.0.0.1:1",
}


def payload(channel, name):
    return json.loads((PAYLOADS / channel / f"{name}.json").read_text("utf-8"))


@pytest.fixture
async def sms():
    adapter = Sms(**ACCOUNT)
    yield adapter
    await adapter.stop()


@pytest.fixture
async def whatsapp():
    adapter = WhatsApp(clock=lambda: NOW, **ACCOUNT)
    yield adapter
    await adapter.stop()


def files(*endings):
    return tuple(Media(f"{MEDIA}/{path}", kind) for path, kind in endings)


@pytest.mark.parametrize(
    ("name", "kind", "text", "media"),
    [
        ("long", Kind.TEXT, ("LAPOR " + "dia minta uang lagi. " * 90).strip(), ()),
        (
            "gsm7_extension",
            Kind.TEXT,
            "LAPOR dia minta €50 [tunai] {lewat} ~laci~ \\ ^",
            (),
        ),
        ("ucs2", Kind.TEXT, "LAPOR dia minta 3 juta 😀 “cepat”", ()),
        (
            "controls",
            Kind.TEXT,
            "LAPOR dia\0 minta \u202e3 juta\u202c \x07uang",
            (),
        ),
        ("unknown_fields", Kind.TEXT, "LAPOR dia minta uang", ()),
        ("text", Kind.TEXT, "LAPOR Ada pungutan di loket", ()),
        ("blank", Kind.TEXT, "", ()),
        (
            "mms",
            Kind.MEDIA,
            "bukti",
            files(("MM0/Media/ME0", "image/jpeg"), ("MM0/Media/ME1", "video/3gpp")),
        ),
        ("stop", Kind.OPT_OUT, " Stop ", ()),
        ("stop_advanced", Kind.OPT_OUT, "BERHENTI", ()),
        ("start", Kind.OPT_IN, "START", ()),
        ("start_advanced", Kind.OPT_IN, "MULAI", ()),
        ("help_advanced", Kind.TEXT, "HELP", ()),
    ],
)
async def test_sms(sms, name, kind, text, media):
    form = payload("sms", name)
    sid = form["MessageSid"]
    assert sms.parse(urlencode(form).encode(), now=NOW) == (
        Incoming(Channel.SMS, NUMBER, sid, NOW, kind, text, media=media, erase=sid),
    )


async def test_an_sms_of_which_a_part_never_came_says_so(sms):
    form = payload("sms", "incomplete")
    (incoming,) = sms.parse(urlencode(form).encode(), now=NOW)
    assert incoming.marks == (Mark.INCOMPLETE,)


@pytest.mark.parametrize(
    ("name", "kind", "fields"),
    [
        ("text", Kind.TEXT, {"text": "Ada pungutan 😀"}),
        (
            "number_only",
            Kind.TEXT,
            {"text": "halo", "handle": f"whatsapp:{NUMBER}", "aliases": ()},
        ),
        ("no_number", Kind.TEXT, {"text": "halo", "aliases": ()}),
        ("button", Kind.PRESS, {"text": "Ya, lanjut", "press": "ab12.3.1"}),
        ("list", Kind.PRESS, {"text": "Pungutan", "press": "ab12.4.2"}),
        (
            "location",
            Kind.LOCATION,
            {"text": "-6.175392,106.827153\nMonas\nJalan Contoh 1"},
        ),
        (
            "image",
            Kind.MEDIA,
            {"text": "Kuitansi", "media": files(("MM1/Media/ME2", "image/jpeg"))},
        ),
        ("vcard", Kind.MEDIA, {"media": files(("MM1/Media/ME3", "text/vcard"))}),
        ("reaction", Kind.UNSUPPORTED, {}),
        ("stop_advanced", Kind.OPT_OUT, {"text": "STOP"}),
        ("start_advanced", Kind.OPT_IN, {"text": "START"}),
        ("help_advanced", Kind.TEXT, {"text": "HELP"}),
        (
            "quoted_reply",
            Kind.TEXT,
            {"text": "Selalu setelah makan siang", "quotes": "SM" + "7" * 32},
        ),
        (
            "quoted_image",
            Kind.MEDIA,
            {
                "text": "Kuitansi",
                "media": files(("MM1/Media/ME2", "image/jpeg")),
                "quotes": "SM" + "7" * 32,
            },
        ),
        ("forwarded", Kind.TEXT, {"text": "Batal", "marks": (Mark.FORWARDED,)}),
        (
            "often_forwarded",
            Kind.TEXT,
            {"text": "Ya", "marks": (Mark.OFTEN_FORWARDED,)},
        ),
        ("location_zero", Kind.LOCATION, {"text": "0.000000,0.000000"}),
        (
            "location_label",
            Kind.LOCATION,
            {"text": "-6.175392,106.827153\nKantor Camat"},
        ),
        ("button_text_only", Kind.TEXT, {"text": "Ya, lanjut"}),
        ("referral", Kind.TEXT, {"text": "halo"}),
        ("unknown_fields", Kind.TEXT, {"text": "halo"}),
        ("metadata_broken", Kind.TEXT, {"text": "halo"}),
        ("voice", Kind.MEDIA, {"media": files(("MM1/Media/ME2", "audio/ogg"))}),
        ("sticker", Kind.MEDIA, {"media": files(("MM1/Media/ME2", "image/webp"))}),
        (
            "document",
            Kind.MEDIA,
            {
                "text": "bukti.pdf",
                "media": files(("MM1/Media/ME2", "application/pdf")),
            },
        ),
        ("order", Kind.UNSUPPORTED, {}),
        ("scoped_only", Kind.TEXT, {"text": "halo", "aliases": ()}),
        ("scoped_bare", Kind.TEXT, {"text": "halo", "aliases": ()}),
    ],
)
async def test_whatsapp(whatsapp, name, kind, fields):
    form = payload("whatsapp", name)
    sid = form["MessageSid"]
    given = {"handle": SCOPED, "aliases": (f"whatsapp:{NUMBER}",)} | fields
    assert whatsapp.parse(urlencode(form).encode(), now=NOW) == (
        Incoming(
            Channel.WHATSAPP,
            provider_id=sid,
            received=NOW,
            kind=kind,
            erase=sid,
            **given,
        ),
    )


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("MessageSid", "", "twilio.MessageSid"),
        ("MessageSid", "S" * 201, "twilio.MessageSid"),
        ("From", "", "twilio.From"),
        ("ExternalUserId", "I" * 201, "twilio.ExternalUserId"),
        ("NumMedia", "many", "twilio.media"),
        ("NumMedia", "51", "twilio.media"),
        ("NumMedia", "²", "twilio.media"),
        ("Latitude", "north", "twilio.place"),
        ("Latitude", "nan", "twilio.place"),
    ],
)
async def test_a_strange_form_goes_to_quarantine_without_its_content(
    whatsapp, name, value, code
):
    form = payload("whatsapp", "location") | {name: value}
    with pytest.raises(base.Unparseable) as caught:
        whatsapp.parse(urlencode(form).encode(), now=NOW)
    assert caught.value.code == code
    assert str(caught.value) == f"{base.Unparseable.__doc__} [{code}]"


async def test_a_form_of_too_many_fields(sms):
    with pytest.raises(base.Unparseable, match=r"\[twilio.form\]"):
        sms.parse(b"&".join(b"a=1" for _ in range(1001)), now=NOW)


async def test_bytes_that_are_no_text_become_replacement_characters(sms):
    raw = urlencode(payload("sms", "text") | {"Body": ""}).encode()
    (incoming,) = sms.parse(raw.replace(b"Body=", b"Body=a%ED%A0%80%ff\xfe"), now=NOW)
    assert incoming.text.startswith("a\ufffd")
    incoming.text.encode()


async def test_the_first_of_repeated_fields_counts(sms):
    raw = b"MessageSid=SM1&From=%2B1&Body=one&Body=two"
    assert sms.parse(raw, now=NOW)[0].text == "one"


@pytest.mark.parametrize(
    ("state", "rank", "final", "failed"),
    [
        ("accepted", 1, False, False),
        ("queued", 2, False, False),
        ("sending", 3, False, False),
        ("sent", 4, False, False),
        ("delivered", 5, True, False),
        ("undelivered", 5, True, True),
        ("failed", 5, True, True),
        ("read", 6, True, False),
    ],
)
def test_a_status(state, rank, final, failed):
    raw = f"MessageSid=SM1&MessageStatus={state}&ErrorCode=30005&To=%2B1".encode()
    status = twilio_forms.parse_status(raw)
    assert status == twilio_forms.StatusUpdate("SM1", rank, state, 30005)
    assert status.final is final
    assert isinstance(status.error, base.Unreachable) is failed


def test_a_status_that_nobody_knows_says_nothing():
    assert twilio_forms.parse_status(b"MessageSid=SM1&MessageStatus=vanished") is None


@pytest.mark.parametrize("raw", [b"MessageStatus=sent", b"MessageSid=SM1&ErrorCode=x"])
def test_a_strange_status(raw):
    with pytest.raises(base.Unparseable):
        twilio_forms.parse_status(raw)
