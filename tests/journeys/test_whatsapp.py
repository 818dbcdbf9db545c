"""On WhatsApp, in English, typed: numbers, near misses, a name, an edited answer."""

from sqlmodel import select

from storage.cases.items import Content
from storage.crypto import sealing
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Item
from storage.units import units
from storage.words import Audience
from tests.journeys.telling import receipt, told
from tests.support.phones import Phone
from tests.support.running import Running
from tests.support.unsealing import secret_for, unit_secret

NAME = "Putu Ayu, after 8 pm, putu@example.org"


def identities(town: Running, case: Case) -> list[Item]:
    """Return the rows that hold a reporter's identity."""
    with town.app.database.reading() as session:
        query = select(Item).where(Item.report == case.report)
        wanted = query.where(Item.audience == Audience.IDENTITY.value)
        return list(session.exec(wanted).all())


def outer_opened(town: Running, case: Case, row: Item) -> bytes:
    """Open an identity as far as the officers of the unit can."""
    with town.app.database.reading() as session:
        unit = units.verified(session, town.keys, town.house.unit.id)
        secret = secret_for(
            session, town.keys, case.report, unit, town.house.unit_secret
        )
    context = sealing.Context("items", row.id, "blob", case.report, row.seq)
    return sealing.open_seal(row.blob, secret, context)


async def answers_as_it_pleases(ayu: Phone) -> None:
    """Answer every question by typing, not always well."""
    await ayu.say("report")
    await ayu.hears("safe for you to write")
    await ayu.say("1")
    await ayu.hears("We want to be honest")
    await ayu.say("understod, go on")
    await ayu.hears("About your data")
    await ayu.say("3")
    await ayu.hears("full policy is at")
    await ayu.say("I agree")
    await ayu.hears("How do you want to be known")
    await ayu.say("2. Confidentail")
    await ayu.hears("safe way to reach you")
    await ayu.say(NAME)
    await ayu.hears("What is it about")
    await ayu.say("42")
    await ayu.hears("did not catch that")
    await ayu.say("procurment")
    await ayu.hears("Which agency")
    await ayu.say("Roads office, Kab. Gianyar, Bali")
    await ayu.hears("Who do you report")
    await ayu.say("do not know")
    await ayu.hears("How high is the post")
    await ayu.say("number 7")
    await tells_what_happened(ayu)


async def tells_what_happened(ayu: Phone) -> None:
    """Tell it in several messages, then the rest."""
    await ayu.hears("Tell us what happened")
    await ayu.say("One firm wins every tender.")
    await ayu.hears("Noted")
    await ayu.say("The others are told to bid higher.")
    await ayu.say("doen")
    await ayu.say("finishd")
    await ayu.hears("Where did it happen")
    await ayu.say("In the meeting room")
    await ayu.hears("When did it happen")
    await ayu.say("March, I think")
    await ayu.hears("How was it done")
    await ayu.say("skip")
    await ayu.hears("how much money")
    await ayu.say("40 million")
    await ayu.hears("Any evidence")
    await ayu.attach(("bids.pdf", "application/pdf", b"%PDF-1.4 bids"), text="the bids")
    await ayu.hears("What you sent is noted")
    await ayu.say("done")
    await ayu.hears("How do you know")
    await ayu.say("two")
    await ayu.hears("reported elsewhere")
    await ayu.say("To the police, LP/12")
    await ayu.hears("fear revenge")
    await ayu.say("Worried")
    await ayu.hears("news")
    await ayu.say("no")
    await ayu.hears("6 of 8", "Send now?")


async def edits_the_agency(ayu: Phone) -> None:
    """Change one answer at the review, then send."""
    await ayu.say("EDIT")
    await ayu.hears("Which part")
    await ayu.say("agency")
    await ayu.hears("Which agency")
    await ayu.say("Public works office, Kab. Gianyar, Bali")
    await ayu.hears("6 of 8", "Send now?")
    await ayu.say("send")


async def test_a_confidential_report_with_typed_answers(hamlet: Running) -> None:
    ayu = hamlet.phone("whatsapp")
    await answers_as_it_pleases(ayu)
    await edits_the_agency(ayu)
    paper = await receipt(ayu)

    case = hamlet.only_case()
    assert (case.number, case.category) == (paper.number, "PRC")
    wrote = [(item.step, item.version, item.text) for item in told(hamlet, case)]
    assert ("Q07", 1, "Roads office, Kab. Gianyar, Bali") in wrote
    assert ("Q07", 2, "Public works office, Kab. Gianyar, Bali") in wrote
    assert ("Q17", 1, "To the police, LP/12") in wrote
    assert NAME not in str(hamlet.read(case))
    await _only_the_vault_reads_the_name(hamlet, case)

    await ayu.say(f"FORGET {paper}")
    await ayu.hears("Your name and contact are erased")
    assert identities(hamlet, case) == []
    assert hamlet.story(case)["Q17"] == "To the police, LP/12"


async def _only_the_vault_reads_the_name(town: Running, case: Case) -> None:
    (row,) = identities(town, case)
    assert b"Putu" not in row.blob
    inner = outer_opened(town, case, row)
    assert b"Putu" not in inner
    context = sealing.Context("items", row.id, "blob", case.report, row.seq)
    try:
        sealing.open_seal(inner, town.house.unit_secret, context)
    except NotAuthentic:
        pass
    else:
        raise AssertionError("the unit opened an identity")
    vault = town.house.vault.id
    custodian = town.house.custodian
    with town.app.database.reading() as session:
        secret = unit_secret(
            session,
            town.keys,
            units.verified(session, town.keys, vault),
            custodian.officer,
            custodian.secret,
        )
    opened = Content.from_bytes(sealing.open_seal(inner, secret, context))
    assert opened.text == NAME


async def test_a_draft_that_is_thrown_away_leaves_nothing(hamlet: Running) -> None:
    ayu = hamlet.phone("whatsapp")
    for text in ("report", "1", "1", "1", "1", "1", "Some office"):
        await ayu.say(text)
    await ayu.hears("Who do you report")
    await ayu.say("ABORT")
    await ayu.hears("The draft is deleted")
    with hamlet.app.database.reading() as session:
        assert session.exec(select(Item)).all() == []
    await ayu.say("SEND")
    await ayu.hears("No report is being written")
    assert hamlet.cases() == []
