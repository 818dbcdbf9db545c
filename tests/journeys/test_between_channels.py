"""Begun by SMS, gone on with on Telegram: the receipt is all that is needed."""

from datetime import timedelta

from tests.journeys.telling import report, words
from tests.support.running import Running

STORY = "The headmaster sells places in the school every July"


async def test_the_receipt_leads_from_sms_to_telegram(town: Running) -> None:
    dewi_by_sms, dewi = town.phone("sms"), town.phone("telegram")
    paper = await report(dewi_by_sms, STORY, "REPORT")
    case = town.only_case()
    await town.ask(case, "Which school do you mean?")

    await dewi.say(f"STATUS {paper}")
    await dewi.hears("Your report has reached us safely")
    await dewi.hears("Which school do you mean?")
    await dewi.say("The junior high near the market.")
    await dewi.hears("Added to your report")
    await dewi.say("DONE")
    await dewi.hears("received everything")
    await dewi.say("ADD")
    await dewi.hears("send your addition")
    await dewi.say("It costs five million a place.")
    await dewi.hears("Added to your report")

    assert words(town, case) == [
        STORY,
        "Which school do you mean?",
        "The junior high near the market.",
        "It costs five million a place.",
    ]
    await dewi_by_sms.hears_nothing()


async def test_after_fifteen_minutes_the_code_is_asked_again(hamlet: Running) -> None:
    dewi = hamlet.phone("telegram")
    paper = await report(dewi, STORY, "REPORT")
    await dewi.say(f"ADD {paper}")
    await dewi.hears("send your addition")
    await dewi.say("First addition, in time.")
    await dewi.hears("Added")
    hamlet.clock.shift += timedelta(minutes=16)
    await dewi.say("Second addition, too late.")
    await dewi.hears("15 minutes are over")
    assert words(hamlet, hamlet.only_case()) == [
        STORY,
        "First addition, in time.",
    ]
