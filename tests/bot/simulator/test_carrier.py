"""Twilio's webhooks: fields, signature, opt-out, retries, status callbacks."""

import pytest
from twilio.request_validator import (  # type: ignore[import-untyped] # no types there
    RequestValidator,
)

from bot.simulator.twilio.carrier import Override, signature
from tests.support.listener import status

BUDI = "whatsapp:+6281298765432"
WAYAN = "+6285712345678"


@pytest.fixture
async def hook(simulator, listener):
    await simulator.webhooks(
        sms=listener.url("/sms"), whatsapp=listener.url("/whatsapp?a=1")
    )
    return listener


async def delivered(simulator, phone, attempts=1):
    """The report of the latest webhook of a phone, once it is complete."""
    look = await simulator.phone(phone).looks_until(
        lambda seen: seen["messages"][-1]["webhook"].get("attempts") == attempts
    )
    return look["messages"][-1]["webhook"]


def test_the_signature_is_the_published_vector():
    url = "https://example.com/myapp.php?foo=1&bar=2"
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    assert signature("12345", url, params) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


async def test_an_sms_comes_signed_with_every_field(api, simulator, hook):
    await simulator.phone("sms").say("  LAPOR é — jalan\n")
    (heard,) = await hook.hear(1)
    form = heard.form
    assert form["Body"] == "  LAPOR é — jalan\n"
    assert (form["From"], form["To"]) == (WAYAN, "+15005550006")
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"]
    assert (form["NumMedia"], form["NumSegments"], form["SmsStatus"]) == (
        "0",
        "1",
        "received",
    )
    assert (form["FromCountry"], form["FromCity"], form["AccountSid"]) == (
        "ID",
        "",
        api.auth[0],
    )
    assert RequestValidator(api.auth[1]).validate(
        hook.url("/sms"), form, heard.headers["x-twilio-signature"]
    )
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert heard.headers["i-twilio-idempotency-token"]
    assert (await delivered(simulator, "sms"))["status"] == 204


async def test_whatsapp_adds_its_own_fields_and_media_has_a_blank_body(
    api, simulator, hook
):
    await simulator.phone("whatsapp").attach(
        ("a.jpg", "image/jpeg", b"x"), ("b.pdf", "application/pdf", b"y")
    )
    (heard,) = await hook.hear(1)
    form = heard.form
    assert (form["From"], form["WaId"]) == (BUDI, "6281298765432")
    assert form["ExternalUserId"].startswith("whatsapp:ID.")
    assert (form["Body"], form["NumMedia"], form["MessageType"]) == ("", "2", "image")
    assert (form["MediaContentType0"], form["MediaContentType1"]) == (
        "image/jpeg",
        "application/pdf",
    )
    assert form["MediaUrl1"].startswith(f"{api.messages}/MM")
    assert RequestValidator(api.auth[1]).validate(
        hook.url("/whatsapp?a=1"), form, heard.headers["x-twilio-signature"]
    )


async def test_whatsapp_sends_places_contacts_presses_and_hidden_numbers(
    api, simulator, hook
):
    budi = simulator.phone("whatsapp")
    await budi.share_location(-6.2, 106.8)
    await budi.share_contact("+62811", "Sari")
    await simulator.control(
        "templates",
        sid="HX" + "b" * 32,
        body="?",
        buttons=[{"id": "ya", "title": "Ya"}],
    )
    await api.send(BUDI, "", ContentSid="HX" + "b" * 32)
    await budi.press("ya")
    await budi.say("lanjut", ListId="7")
    hidden = await simulator.new_phone("hidden", "whatsapp", hides_number=True)
    heard = await hook.hear(4)
    place, card, press, raw = (entry.form for entry in heard)
    assert (place["Latitude"], place["MessageType"], place["Body"]) == (
        "-6.2",
        "location",
        "",
    )
    assert card["MediaContentType0"] == "text/vcard"
    assert (press["ButtonPayload"], press["ButtonText"], press["Body"]) == (
        "ya",
        "Ya",
        "Ya",
    )
    assert raw["ListId"] == "7"
    await hidden.say("halo")
    last = (await hook.hear(5))[-1].form
    assert last["From"] == last["ExternalUserId"]
    assert last["From"].startswith("whatsapp:ID.")


async def test_a_lone_surrogate_becomes_the_replacement_character(simulator, hook):
    await simulator.phone("sms").say("a\ud800b")
    assert (await hook.hear(1))[0].form["Body"] == "a\ufffdb"


@pytest.mark.parametrize(
    "word",
    [
        "STOP",
        " stop ",
        "Unsubscribe",
        "END",
        "QUIT",
        "STOPALL",
        "REVOKE",
        "OPTOUT",
        "CANCEL",
    ],
)
async def test_opt_out_words_are_swallowed_until_start(api, simulator, hook, word):
    wayan = simulator.phone("sms")
    await wayan.say(word)
    assert await wayan.hears("unsubscribed")
    refused = await api.send(WAYAN, "x")
    assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    await wayan.say("UNSTOP")
    assert await wayan.hears("re-subscribed")
    assert (await api.send(WAYAN, "x")).status_code == 201
    await wayan.say("help")
    assert await wayan.hears("Reply STOP")
    await wayan.say("STOP ya")
    assert [entry.form["Body"] for entry in await hook.hear(1)] == ["STOP ya"]


async def test_whatsapp_passes_stop_on(simulator, hook):
    await simulator.phone("whatsapp").say("STOP")
    assert (await hook.hear(1))[0].form["Body"] == "STOP"


async def test_advanced_opt_out_passes_the_words_on(simulator, hook):
    await simulator.control("settings", advanced_opt_out=True)
    await simulator.phone("sms").say("STOP")
    assert (await hook.hear(1))[0].form["OptOutType"] == "STOP"


async def test_without_a_webhook_the_message_only_waits_in_the_list(api, simulator):
    sent = await simulator.phone("sms").say("hai")
    assert sent["webhook"]["problem"] == "no webhook is set"
    assert (await api.get(".json")).json()["messages"][0]["sid"] == sent["message_id"]


async def test_a_server_error_is_not_tried_again(simulator, hook):
    hook.script = [status(500)]
    await simulator.phone("sms").say("hilang")
    assert (await delivered(simulator, "sms"))["status"] == 500
    await simulator.phone("sms").say("berikut")
    assert [entry.form["Body"] for entry in await hook.hear(2)] == ["hilang", "berikut"]


async def test_a_failed_connection_is_tried_once_more(simulator, listener):
    await simulator.webhooks(sms="http://127.0.0.1:9/sms")
    await simulator.phone("sms").say("hai")
    assert (await delivered(simulator, "sms", 2))["status"] == 0
    await simulator.webhooks(sms=listener.url("/sms"))
    await simulator.fault("webhook", "reset", "sms")
    await simulator.phone("sms").say("lagi")
    assert (await delivered(simulator, "sms", 2))["status"] == 204


async def test_the_fragment_of_the_url_overrides_retries(api, simulator, listener):
    url = listener.url("/sms")
    await simulator.webhooks(sms=f"{url}#rc=3&rp=ct,rt,5xx&rt=5000")
    listener.script = [status(500), b"", status(500)]
    await simulator.phone("sms").say("hai")
    heard = await listener.hear(4)
    assert len({entry.headers["i-twilio-idempotency-token"] for entry in heard}) == 1
    assert {entry.path for entry in heard} == {"/sms"}
    assert RequestValidator(api.auth[1]).validate(
        url, heard[0].form, heard[0].headers["x-twilio-signature"]
    )


async def test_a_slow_bot_is_given_up(simulator, listener):
    listener.held = lambda _: True
    await simulator.webhooks(sms=listener.url("/sms#rt=100"))
    await simulator.phone("sms").say("hai")
    report = await delivered(simulator, "sms")
    assert (report["status"], report["problem"]) == (0, "ReadTimeout")


def test_overrides_are_read_as_twilio_documents_them():
    assert Override.of("").again("ct")
    assert not Override.of("").again("5xx")
    everything = Override.of("rc=9&rp=all&ct=100")
    assert (everything.retries, everything.connect) == (5, 100)
    assert everything.again("4xx")
    assert not everything.again("")


@pytest.mark.parametrize("api_name", ["twilio", "webhook"])
async def test_an_inbound_message_may_come_twice(simulator, hook, api_name):
    await simulator.fault(api_name, "duplicate", "sms")
    await simulator.phone("sms").say("dua kali")
    first, second = await hook.hear(2)
    assert first.form == second.form


@pytest.mark.parametrize("fault", ["lost_answer", "delay"])
@pytest.mark.usefixtures("hook")
async def test_an_answer_may_get_lost_on_the_way_back(simulator, fault):
    await simulator.fault("webhook", fault, "sms", seconds=0.01)
    await simulator.phone("sms").say("hai")
    report = await delivered(simulator, "sms")
    assert report["status"] == (0 if fault == "lost_answer" else 204)


async def test_status_callbacks_come_signed_and_in_order(api, simulator, listener):
    url = listener.url("/status")
    await simulator.control("settings", read_receipts=True)
    await simulator.phone("whatsapp").say("hai")
    sid = (await api.send(BUDI, "x", StatusCallback=url)).json()["sid"]
    heard = await listener.hear(3)
    assert [entry.form["MessageStatus"] for entry in heard] == [
        "sent",
        "delivered",
        "read",
    ]
    for entry in heard:
        assert (entry.form["MessageSid"], entry.form["To"]) == (sid, BUDI)
        given = entry.headers["x-twilio-signature"]
        assert RequestValidator(api.auth[1]).validate(url, entry.form, given)


async def test_status_callbacks_may_be_shuffled_and_doubled(api, simulator, listener):
    url = listener.url("/status")
    await simulator.fault("webhook", "shuffle", "status")
    await simulator.fault("webhook", "duplicate", "status")
    await api.send(WAYAN, "x", StatusCallback=url)
    heard = await listener.hear(3)
    assert [entry.form["MessageStatus"] for entry in heard] == [
        "delivered",
        "delivered",
        "sent",
    ]


async def test_a_failure_is_called_back_with_its_code(api, simulator, listener):
    await simulator.fault("twilio", "undelivered", "create", code=30003)
    await api.send(WAYAN, "x", StatusCallback=listener.url("/status"))
    (heard,) = await listener.hear(1)
    assert heard.form["MessageStatus"] == "undelivered"
    assert heard.form["ErrorCode"] == "30003"


async def test_the_fallback_address_is_called_after_the_last_failure(
    api, simulator, listener
):
    """It gets the same message, signed for its own address, and what went wrong."""
    first, spare = listener.url("/sms"), listener.url("/spare")
    await simulator.webhooks(sms=f"{first}#rc=1&rp=5xx")
    await simulator.control("settings", sms_fallback=f"{spare}#rc=0")
    listener.script = [status(500), status(500), status(204)]
    await simulator.phone("sms").say("halo")
    heard = await listener.hear(3)
    assert [one.path for one in heard] == ["/sms", "/sms", "/spare"]
    form = heard[2].form
    assert form["ErrorCode"] == "11200"
    assert form["ErrorUrl"].startswith(first)
    assert heard[0].form.items() <= form.items()
    signed = heard[2].headers["x-twilio-signature"]
    assert RequestValidator(api.auth[1]).validate(spare, form, signed)
    tokens = [one.headers["i-twilio-idempotency-token"] for one in heard]
    assert tokens[0] == tokens[1]


async def test_a_webhook_may_never_come(api, simulator, listener):
    await simulator.webhooks(sms=listener.url("/sms"))
    await simulator.control("settings", sms_fallback=listener.url("/spare"))
    await simulator.fault("webhook", "never", "sms")
    await simulator.phone("sms").say("satu")
    await simulator.phone("sms").say("dua")
    (heard,) = await listener.hear(1)
    assert heard.form["Body"] == "dua"
    listed = (await api.get(".json")).json()["messages"]
    assert [one["body"] for one in listed] == ["dua", "satu"]


async def test_all_tries_together_have_the_total_time(simulator, listener):
    """With ``tt`` over, nothing is tried again, however many repeats are left."""
    await simulator.webhooks(sms=listener.url("/sms") + "#tt=300&rt=250&rc=5&rp=rt")
    await simulator.fault("webhook", "delay", "sms", times=6, seconds=0.4)
    await simulator.phone("sms").say("halo")
    report = await delivered(simulator, "sms")
    assert report["attempts"] == 1
