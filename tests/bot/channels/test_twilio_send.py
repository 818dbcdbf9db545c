"""What is sent to Twilio, and what its answers mean: real HTTP to a scripted server."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from bot.channels import base, twilio
from bot.channels.sms import Sms
from bot.channels.whatsapp import WhatsApp
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.support.scripted import Answer, provider

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SITI = "+620000000001"
CALLBACK = "https://bot.example/webhooks/twilio/status"
TAKEN = Answer(201, {"sid": "SM9", "status": "queued"})
TEMPLATES = {"id": {"news": "HX1"}}


def letter(text="Halo", channel=Channel.SMS, to=SITI, **fields):
    return Letter(LetterKind.REPLY, channel, to, text, **fields)


def refused(status, code, **headers):
    return Answer(status, {"code": code, "message": SITI, "status": status}, headers)


@pytest.fixture
async def server():
    async with provider() as made:
        made.answers = [TAKEN]
        yield made


@pytest.fixture
def account(server):
    return {
        "account_sid": "AC0",
        "auth_token": "secret",
        "sender": "+15550006666",
        "api_base_url": server.url,
    }


@pytest.fixture
async def sms(account):
    adapter = Sms(status_callback=CALLBACK, **account)
    await adapter.start()
    yield adapter
    await adapter.stop()


@pytest.fixture
async def whatsapp(account):
    adapter = WhatsApp(clock=lambda: NOW, templates=TEMPLATES, **account)
    yield adapter
    await adapter.stop()


async def test_an_sms_stays_in_gsm_7_where_it_can(sms, server):
    sent = await sms.send(
        letter("\u201cHalo\u201d \u2026 Sari\u2019s\u00a0\u2013\ufeff x\ud800")
    )
    assert sent == base.Sent("SM9", final=False)
    (asked,) = server.asked
    assert (asked.method, asked.path) == (
        "POST",
        "/2010-04-01/Accounts/AC0/Messages.json",
    )
    login = base64.b64encode(b"AC0:secret").decode().lower()
    assert asked.headers["authorization"].lower() == f"basic {login}"
    assert asked.form == {
        "To": SITI,
        "From": "+15550006666",
        "Body": '"Halo" ... Sari\'s - x\ufffd',
        "StatusCallback": CALLBACK,
    }


def ago(**span):
    return int((NOW - timedelta(**span)).timestamp())


FREE, TEMPLATE = (
    {"Body": "Halo"},
    {"ContentSid": "HX1", "ContentVariables": '{"1": "x"}'},
)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"last_inbound": ago(hours=1)}, FREE),
        ({"last_inbound": ago(hours=1), "template": "news"}, FREE),
        ({"last_inbound": ago(hours=23, minutes=58), "template": "news"}, TEMPLATE),
        ({"last_inbound": ago(days=3), "template": "news"}, TEMPLATE),
        ({"last_inbound": 0, "template": "news"}, TEMPLATE),
    ],
)
async def test_outside_the_window_a_template_goes(whatsapp, server, fields, content):
    fields |= {"channel": Channel.WHATSAPP, "to": f"whatsapp:{SITI}"}
    sent = await whatsapp.send(letter(parameters={"1": "x"}, **fields))
    assert sent == base.Sent("SM9", final=True)
    assert server.asked[0].form == content | {
        "To": f"whatsapp:{SITI}",
        "From": "whatsapp:+15550006666",
    }


async def test_a_window_that_closed_early_costs_one_more_request(whatsapp, server):
    server.answers = [refused(400, 63016), TAKEN]
    sent = await whatsapp.send(
        letter(last_inbound=ago(hours=1), template="news", parameters={"1": "x"})
    )
    assert sent.provider_id == "SM9"
    assert [sorted(asked.form) for asked in server.asked] == [
        ["Body", "From", "To"],
        ["ContentSid", "ContentVariables", "From", "To"],
    ]


async def test_outside_the_window_no_word_of_a_notice_leaves(whatsapp, server):
    server.answers = [TAKEN]
    full = replace(
        letter("Siapa saksinya?", last_inbound=ago(hours=25), template="news"),
        kind=LetterKind.NOTICE,
    )
    await whatsapp.send(full)
    with pytest.raises(base.WindowClosed, match=r"\[whatsapp.window\]"):
        await whatsapp.send(replace(full, text="bagian kedua", template=""))
    (asked,) = server.asked
    assert "Body" not in asked.form, "the template went, its second part did not"


async def test_a_closed_window_without_template(whatsapp, server):
    server.answers = [refused(400, 63016)]
    with pytest.raises(base.WindowClosed, match=r"\[twilio.63016\]"):
        await whatsapp.send(letter(last_inbound=ago(hours=1)))


ANSWERS = [
    ("too fast", refused(429, 20429, **{"retry-after": "9"}), base.Busy, "429", 9),
    ("too fast, silent", refused(429, 20429), base.Busy, "429", None),
    ("a date", refused(429, 20429, **{"retry-after": "Sat"}), base.Busy, "429", None),
    ("queue full", refused(400, 21611), base.Busy, "21611", None),
    ("opted out", refused(400, 21610), base.Unreachable, "21610", None),
    ("no number", refused(400, 21211), base.Unreachable, "21211", None),
    ("bad login", refused(401, 20003), base.Misconfigured, "401", None),
    ("no permission", refused(403, 20003), base.Misconfigured, "20003", None),
    ("bad sender", refused(400, 21212), base.Misconfigured, "21212", None),
    ("region closed", refused(400, 21408), base.Never, "21408", None),
    ("too long", refused(400, 21617), base.Never, "21617", None),
    ("unheard of", refused(400, 99998), base.Never, "99998", None),
    ("no code", Answer(400, b"<html>"), base.Never, "400", None),
    ("a strange code", Answer(400, {"code": "x"}), base.Never, "400", None),
    ("a list", Answer(400, []), base.Never, "400", None),
    ("fault", Answer(500, b""), base.Doubtful, "500", None),
    ("redirected", Answer(302, b"", {"location": "/"}), base.Never, "302", None),
    ("lost answer", Answer(lost=True), base.Doubtful, "lost", None),
    ("no JSON", Answer(201, b"<html>"), base.Doubtful, "answer", None),
]


@pytest.mark.parametrize(
    ("answer", "policy", "code", "after"),
    [a[1:] for a in ANSWERS],
    ids=[a[0] for a in ANSWERS],
)
async def test_what_an_answer_means(sms, server, answer, policy, code, after):
    server.answers = [answer]
    with pytest.raises(base.SendError) as caught:
        await sms.send(letter())
    assert type(caught.value) is policy
    assert caught.value.code == f"twilio.{code}"
    assert getattr(caught.value, "after", None) == after
    assert SITI not in str(caught.value)


async def test_nobody_listens(account):
    adapter = Sms(**account | {"api_base_url": "http://127.0.0.1:9"})
    with pytest.raises(base.Later) as caught:
        await adapter.send(letter())
    assert (type(caught.value), caught.value.code) == (base.Away, "twilio.connect")
    await adapter.stop()


def listed(*messages):
    return Answer(body={"messages": list(messages), "page_size": 50, "uri": "x"})


def message(body="Halo", made=NOW, sid="SM5"):
    return {"sid": sid, "body": body, "date_created": format_datetime(made)}


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([message()], base.Sent("SM5", final=False)),
        ([message(sid="SM4", body="Lain"), message()], base.Sent("SM5", final=False)),
        ([message(made=NOW - timedelta(hours=1))], None),
        ([message(body="Lain")], None),
        ([message() | {"date_created": None}], None),
        ([], None),
    ],
)
async def test_after_a_doubtful_end_twilio_is_asked(sms, server, messages, found):
    server.answers = [listed(*messages)]
    assert await sms.find(letter(), NOW - timedelta(minutes=15)) == found
    (asked,) = server.asked
    assert asked.method == "GET"
    assert "To=%2B620000000001" in asked.path
    assert "From=%2B15550006666" in asked.path


async def test_a_list_that_cannot_be_read(sms, server):
    server.answers = [Answer(body=b"<html>")]
    with pytest.raises(base.Later, match=r"\[twilio.answer\]"):
        await sms.find(letter(), NOW)


@pytest.mark.parametrize(
    "answer", [Answer(204, b""), refused(404, 20404), Answer(404, b"")]
)
async def test_a_copy_is_erased(sms, server, answer):
    server.answers = [answer]
    await sms.erase("SM9")
    assert (server.asked[0].method, server.asked[0].path) == (
        "DELETE",
        "/2010-04-01/Accounts/AC0/Messages/SM9.json",
    )


async def test_a_copy_still_under_way_is_erased_later(sms, server):
    server.answers = [refused(400, 20009)]
    with pytest.raises(base.Later, match=r"\[twilio.20009\]"):
        await sms.erase("SM9")


@pytest.mark.parametrize(
    "address", ["http://api.twilio.com", "https://", "", "http://10.0.0.1"]
)
def test_an_address_that_is_not_safe(address):
    with pytest.raises(ValueError, match="https"):
        twilio.Transport(address)


@pytest.mark.parametrize(
    "following",
    ["@evil.example/x", ".evil.example/x", ":1/x", "https://evil.example", "?a=/b", ""],
)
async def test_no_address_of_an_answer_takes_our_login_elsewhere(following):
    """``https://api.twilio.com`` + ``@evil.example/x`` would be another host."""
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, text="{}")

    transport = twilio.Transport("https://api.twilio.com")
    transport.web = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with pytest.raises(base.Later):
        await transport.request("GET", following, auth=("AC", "secret"))
    assert asked == []
    for kept in ("//evil.example/x", "https://evil.example/x", "/x"):
        await transport.request("GET", kept, auth=("AC", "secret"))
    assert {request.url.host for request in asked} == {"api.twilio.com"}
    await transport.web.aclose()


def test_every_code_has_one_policy():
    codes = [code for codes in twilio.TABLE.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert set(twilio.TABLE) == set(twilio.POLICIES)


async def test_variables_of_a_template_are_json(whatsapp, server):
    parameters = {"1": "KTG-2026", "2": "é"}
    await whatsapp.send(letter(template="news", parameters=parameters))
    assert json.loads(server.asked[0].form["ContentVariables"]) == parameters
