"""The Messages API as the bot meets it: sending, refusals, lists, deletion, media."""

import json

import httpx
import pytest

from tests.specs.conformance import check_answer

BUDI = "whatsapp:+6281298765432"
WAYAN = "+6285712345678"
SMS = {"To": WAYAN, "From": "+15005550006"}


async def test_wrong_credentials_are_20003(api):
    for auth in (None, (api.auth[0], "wrong")):
        answer = await api.client.get(f"{api.messages}.json", auth=auth)
        assert answer.status_code == 401
        assert answer.json() == {
            "code": 20003,
            "message": "Authenticate",
            "more_info": "https://www.twilio.com/docs/errors/20003",
            "status": 401,
        }
    other = api.messages.replace("AC5", "AC6")
    answer = await api.client.get(f"{other}.json", auth=api.auth)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


async def test_a_message_arrives_on_the_phone(api, simulator):
    answer = await api.send(WAYAN, "Baris satu\nBaris dua")
    assert answer.status_code == 201
    assert answer.json()["status"] == "queued"
    line = await simulator.phone("sms").gets("satu")
    assert (line["text"], line["segments"]) == ("Baris satu\nBaris dua", 1)
    fetched = await api.get(f"/{answer.json()['sid']}.json")
    assert check_answer("twilio", "fetch", fetched.json()) == []
    assert fetched.json()["status"] == "delivered"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"From": "+15005550006", "Body": "x"}, 21604),
        ({"To": "0812", "From": "+15005550006", "Body": "x"}, 21211),
        ({"To": "whatsapp:0812", "From": "whatsapp:+15005550009", "Body": "x"}, 21211),
        ({"To": WAYAN, "Body": "x"}, 21603),
        ({"To": WAYAN, "From": "whatsapp:+15005550009", "Body": "x"}, 21910),
        ({"To": BUDI, "From": "whatsapp:+15005550006", "Body": "x"}, 63007),
        ({"To": WAYAN, "From": "+15005550001", "Body": "x"}, 21606),
        (SMS, 21602),
        (SMS | {"Body": "x" * 1601}, 21617),
        (SMS | {"ContentSid": "HX" + "0" * 32}, 21655),
        (SMS | {"ContentSid": "HX" + "1" * 32, "Body": "x"}, 21654),
        (SMS | {"ContentSid": "HX" + "1" * 32, "ContentVariables": "["}, 21656),
        (SMS | {"MediaUrl": [f"https://example.test/{n}" for n in range(11)]}, 21623),
    ],
)
async def test_a_bad_message_is_refused_with_its_code(api, simulator, given, code):
    answer = await api.client.post(f"{api.messages}.json", auth=api.auth, data=given)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["more_info"].endswith(str(code))
    assert await simulator.phone("sms").heard() == []


async def test_the_longest_body_and_media_pass(api, simulator):
    assert (await api.send(WAYAN, "x" * 1600)).status_code == 201
    assert (await simulator.phone("sms").gets("xxx"))["segments"] == 11
    sent = await api.send(WAYAN, "lihat", MediaUrl="https://example.test/a.jpg")
    assert (sent.json()["sid"][:2], sent.json()["num_media"]) == ("MM", "1")


async def test_whatsapp_takes_free_text_for_24_hours(api, simulator):
    budi = simulator.phone("whatsapp")
    refused = await api.send(BUDI, "halo?")
    assert refused.json()["code"] == 63016
    await budi.say("halo")
    assert (await api.send(BUDI, "halo juga")).status_code == 201
    await simulator.control("clock", shift_seconds=24 * 3600 + 1)
    assert (await api.send(BUDI, "masih?")).json()["code"] == 63016
    variables = json.dumps({"1": "7K3M-9QXB"})
    template = await api.send(
        BUDI, "", ContentSid="HX" + "1" * 32, ContentVariables=variables
    )
    assert template.status_code == 201
    assert "7K3M-9QXB" in await budi.hears("pembaruan")
    await simulator.control("settings", window_error="fail")
    failed = await api.send(BUDI, "masih?")
    assert failed.status_code == 201
    fetched = (await api.get(f"/{failed.json()['sid']}.json")).json()
    assert (fetched["status"], fetched["error_code"]) == ("undelivered", 63016)


async def test_a_template_has_variables_and_buttons(api, simulator):
    await simulator.control(
        "templates",
        sid="HX" + "a" * 32,
        body="Halo {{1}}, {{2}}",
        buttons=[{"id": "baca", "title": "Baca"}],
    )
    given = {"ContentSid": "HX" + "a" * 32}
    variables = json.dumps({"1": "warga", "2": "selamat sore"})
    await api.send(BUDI, "", **given, ContentVariables=variables)
    budi = simulator.phone("whatsapp")
    assert await budi.hears("warga") == "Halo warga, selamat sore"
    assert await budi.buttons() == ["Baca"]
    for wrong in ({"1": "a"}, {"1": "a", "2": "b", "3": "c"}, {}):
        variables = json.dumps(wrong)
        sent = await api.send(BUDI, "", **given, ContentVariables=variables)
        failed = (await api.get(f"/{sent.json()['sid']}.json")).json()
        assert (failed["status"], failed["error_code"]) == ("undelivered", 63028)
    assert len(await budi.heard()) == 1, "what has a hole reaches nobody"


async def test_a_business_scoped_id_is_an_address(api, simulator):
    hidden = await simulator.new_phone("hidden", "whatsapp", hides_number=True)
    await hidden.say("halo")
    external = (await hidden.look())["external_id"]
    assert (await api.send(f"whatsapp:{external}", "hai")).status_code == 201
    assert await hidden.hears("hai")


async def test_what_cannot_arrive_fails_later(api, simulator):
    await simulator.phone("sms").block()
    codes = {}
    for to in (WAYAN, "+6281100000000", "whatsapp:+6281100000000"):
        sid = (await api.send(to, "x")).json()["sid"]
        codes[to] = (await api.get(f"/{sid}.json")).json()["error_code"]
    assert list(codes.values()) == [30004, 30005, 63024]
    await simulator.phone("sms").block(blocked=False)
    await simulator.fault("twilio", "undelivered", "create", phone="sms", code=30008)
    sid = (await api.send(WAYAN, "x")).json()["sid"]
    assert (await api.get(f"/{sid}.json")).json()["error_code"] == 30008


async def test_lists_are_filtered_and_paged_newest_first(api, simulator):
    for number in range(3):
        await api.send(WAYAN, f"sms {number}")
    await simulator.phone("sms").say("masuk")
    page = (await api.get(".json", To=WAYAN, PageSize=2)).json()
    assert check_answer("twilio", "list", page) == []
    assert [message["body"] for message in page["messages"]] == ["sms 2", "sms 1"]
    following = await api.client.get(
        simulator.url + page["next_page_uri"], auth=api.auth
    )
    assert [message["body"] for message in following.json()["messages"]] == ["sms 0"]
    assert following.json()["next_page_uri"] is None
    assert following.json()["previous_page_uri"]
    inbound = (await api.get(".json", From=WAYAN)).json()["messages"]
    assert [(m["body"], m["direction"], m["status"]) for m in inbound] == [
        ("masuk", "inbound", "received")
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"DateSent": "2020-01-01"}, 0),
        ({"DateSent<": "2020-01-01"}, 0),
        ({"DateSent>": "2020-01-01"}, 1),
        ({"DateSent>": "2020-01-01T00:00:00Z", "DateSent<": "2099-01-01"}, 1),
    ],
)
async def test_lists_are_filtered_by_date(api, query, count):
    await api.send(WAYAN, "x")
    assert len((await api.get(".json", **query)).json()["messages"]) == count


async def test_a_wrong_date_is_refused(api):
    await api.send(WAYAN, "x")
    assert (await api.get(".json", **{"DateSent>": "kemarin"})).json()["code"] == 20001


async def test_a_body_can_be_redacted_and_a_message_deleted(api, simulator):
    await simulator.phone("sms").say("rahasia")
    (message,) = (await api.get(".json")).json()["messages"]
    one = f"{api.messages}/{message['sid']}.json"
    changed = await api.client.post(one, auth=api.auth, data={"Body": "lain"})
    assert changed.json()["code"] == 20001
    redacted = await api.client.post(one, auth=api.auth, data={"Body": ""})
    assert check_answer("twilio", "update", redacted.json()) == []
    assert redacted.json()["body"] == ""
    assert (await api.client.post(one, auth=api.auth, data={})).status_code == 200
    deleted = await api.client.delete(one, auth=api.auth)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await api.client.get(one, auth=api.auth)).json()["code"] == 20404


async def test_media_needs_credentials_and_redirects_without_them(api, simulator):
    content = bytes(range(256))
    await simulator.phone("whatsapp").attach(("a.pdf", "application/pdf", content))
    (message,) = (await api.get(".json")).json()["messages"]
    media = (await api.get(f"/{message['sid']}/Media.json")).json()
    assert check_answer("twilio", "media.list", media) == []
    sid = media["media_list"][0]["sid"]
    shown = await api.get(f"/{message['sid']}/Media/{sid}.json")
    assert check_answer("twilio", "media.fetch", shown.json()) == []
    url = f"{api.messages}/{message['sid']}/Media/{sid}"
    assert (await api.client.get(url)).status_code == 401
    moved = await api.client.get(url, auth=api.auth)
    assert moved.status_code == 307
    there = simulator.url + moved.headers["location"]
    assert (await api.client.get(there)).content == content
    await api.client.get(there, auth=api.auth)
    seen = await simulator.requests("media-store")
    assert [request["authorization"] for request in seen] == [False, True]
    assert (await api.client.delete(f"{url}.json", auth=api.auth)).status_code == 204
    assert (await api.client.get(url, auth=api.auth)).json()["code"] == 20404
    assert (
        await api.client.get(f"{simulator.url}/media-store/none")
    ).status_code == 404


async def test_deleting_a_message_deletes_its_media(api, simulator):
    await simulator.phone("whatsapp").attach(("a.pdf", "application/pdf", b"x"))
    (message,) = (await api.get(".json")).json()["messages"]
    await api.client.delete(f"{api.messages}/{message['sid']}.json", auth=api.auth)
    assert (await api.get(f"/{message['sid']}/Media.json")).status_code == 404


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("lost_answer", httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
        ("timeout", httpx.ReadTimeout),
    ],
)
async def test_an_answer_may_never_come(api, simulator, fault, error):
    await simulator.fault("twilio", fault, "create", phone="sms")
    with pytest.raises(error):
        await api.client.post(
            f"{api.messages}.json",
            auth=api.auth,
            data=SMS | {"Body": "sampai?"},
            timeout=0.3 if fault == "timeout" else 10,
        )
    arrived = ["sampai?"] if fault == "lost_answer" else []
    assert await simulator.phone("sms").heard() == arrived
    listed = (await api.get(".json")).json()["messages"]
    assert [message["body"] for message in listed] == arrived


@pytest.mark.parametrize(
    ("fault", "given", "status", "code"),
    [
        ("429", {"retry_after": 3}, 429, 20429),
        ("500", {}, 500, 20500),
        ("503", {}, 503, 20500),
        ("400", {"code": 21408, "description": "Permission not enabled"}, 400, 21408),
    ],
)
async def test_errors_on_demand(api, simulator, fault, given, status, code):
    await simulator.fault("twilio", fault, "create", **given)
    answer = await api.send(WAYAN, "x")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("retry-after") == ("3" if fault == "429" else None)
    assert (await api.send(WAYAN, "x")).status_code == 201
    await simulator.fault("twilio", "delay", seconds=0.01)
    assert (await api.send(WAYAN, "x")).status_code == 201


@pytest.mark.parametrize("fault", ["500", "delay", "lost_answer"])
async def test_the_media_store_fails_on_demand(api, simulator, fault):
    await simulator.phone("whatsapp").attach(("a.pdf", "application/pdf", b"x"))
    (message,) = (await api.get(".json")).json()["messages"]
    media = (await api.get(f"/{message['sid']}/Media.json")).json()["media_list"][0][
        "sid"
    ]
    moved = await api.get(f"/{message['sid']}/Media/{media}")
    there = simulator.url + moved.headers["location"]
    await simulator.fault("twilio", fault, "media-store", seconds=0.01)
    if fault == "lost_answer":
        with pytest.raises(httpx.RemoteProtocolError):
            await api.client.get(there)
    else:
        assert (await api.client.get(there)).status_code == (
            500 if fault == "500" else 200
        )
