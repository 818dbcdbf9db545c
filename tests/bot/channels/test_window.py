"""WhatsApp's 24 hours to the second, and templates that are refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import base
from bot.channels.whatsapp import WhatsApp
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.support.scripted import Answer, provider

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TAKEN = Answer(201, {"sid": "SM9", "status": "queued"})
NOTICE = Letter(
    LetterKind.NOTICE,
    Channel.WHATSAPP,
    "whatsapp:+620000000001",
    "Siapa saksinya?",
    template="news",
    parameters={"1": "7K3M-9QXB"},
)
LIMIT = 24 * 3600 - 5 * 60


class Hand:
    """A clock that is set by hand."""

    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
async def server():
    async with provider() as made:
        made.answers = [TAKEN]
        yield made


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
async def whatsapp(server, clock):
    adapter = WhatsApp(
        clock=clock,
        templates={"id": {"news": "HX1"}},
        account_sid="AC0",
        auth_token="secret",
        sender="+15550006666",
        api_base_url=server.url,
    )
    yield adapter
    await adapter.stop()


def wrote(seconds_ago: float, letter: Letter = NOTICE) -> Letter:
    return replace(letter, last_inbound=int(NOW.timestamp() - seconds_ago))


def sent_as(server) -> str:
    (asked,) = server.asked
    form = asked.form
    assert ("Body" in form) != ("ContentSid" in form)
    return "text" if "Body" in form else "template"


@pytest.mark.parametrize(
    ("seconds", "goes"),
    [
        (0, "text"),
        (1, "text"),
        (LIMIT - 1, "text"),
        (LIMIT, "template"),
        (LIMIT + 1, "template"),
        (24 * 3600 - 1, "template"),
        (24 * 3600, "template"),
        (24 * 3600 + 1, "template"),
        (48 * 3600, "template"),
        (NOW.timestamp(), "template"),
    ],
)
async def test_the_border_by_seconds(whatsapp, server, seconds, goes):
    await whatsapp.send(wrote(seconds))
    assert sent_as(server) == goes
    if goes == "template":
        assert server.asked[0].form["ContentVariables"] == '{"1": "7K3M-9QXB"}'


@pytest.mark.parametrize("waits", [0, 59, 60, 7200])
async def test_a_letter_may_cross_the_border_while_it_waits(
    whatsapp, server, clock, waits
):
    letter = wrote(LIMIT - 60)
    clock.now = NOW + timedelta(seconds=waits)
    await whatsapp.send(letter)
    assert sent_as(server) == ("text" if waits < 60 else "template")


@pytest.mark.parametrize("kind", [LetterKind.REPLY, LetterKind.RECEIPT])
@pytest.mark.parametrize("seconds", [LIMIT, NOW.timestamp()])
async def test_a_reply_that_comes_too_late_costs_no_request(
    whatsapp, server, kind, seconds
):
    late = wrote(seconds, replace(NOTICE, kind=kind, template=""))
    with pytest.raises(base.WindowClosed, match=r"\[whatsapp.window\]"):
        await whatsapp.send(late)
    assert server.asked == []


@pytest.mark.parametrize(("template", "language"), [("", "id"), ("news", "en")])
async def test_without_a_template_nothing_leaves(whatsapp, server, template, language):
    letter = replace(wrote(LIMIT), template=template, language=language)
    with pytest.raises(base.WindowClosed, match=r"\[whatsapp.window\]"):
        await whatsapp.send(letter)
    assert server.asked == []


@pytest.mark.parametrize(
    "code", [21655, 21656, 63027, 63028, 63030, 63040, 63041, 63042]
)
async def test_a_template_that_is_refused(whatsapp, server, code):
    server.answers = [Answer(400, {"code": code, "message": "x", "status": 400})]
    with pytest.raises(base.TemplateRefused, match=rf"\[twilio.{code}\]"):
        await whatsapp.send(wrote(LIMIT))
    assert sent_as(server) == "template"


@pytest.mark.parametrize("refusal", [63016, 63041])
async def test_the_window_closed_early_and_then(whatsapp, server, refusal):
    answers = {63016: TAKEN, 63041: Answer(400, {"code": 63041})}
    server.answers = [Answer(400, {"code": 63016}), answers[refusal]]
    if refusal == 63016:
        assert (await whatsapp.send(wrote(60))).provider_id == "SM9"
    else:
        with pytest.raises(base.TemplateRefused):
            await whatsapp.send(wrote(60))
    assert ["Body" in asked.form for asked in server.asked] == [True, False]


async def test_a_day_s_messages_used_up_stop_the_channel(whatsapp, server):
    server.answers = [Answer(429, {"code": 63038, "message": "x", "status": 429})]
    with pytest.raises(base.Misconfigured, match=r"\[twilio.63038\]"):
        await whatsapp.send(wrote(0))
