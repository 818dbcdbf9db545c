import re
from functools import cache

import pytest

from bot.console import menu
from bot.console.texts import LANGUAGES, ConsoleTexts
from bot.console.watch import health
from bot.evidence.refusals import HIDDEN, WHYS
from bot.watch.alarms import Alarm
from handlers.cases.classification import AGENCY
from handlers.quarantine import release
from handlers.questionnaire.book import load
from handlers.rules.classification import FIELDS
from handlers.texts import holes
from storage.jobs.watches import Watched
from storage.notices import failed
from storage.words import (
    ActorClass,
    Channel,
    EventCode,
    FileState,
    Mark,
    RequestKind,
    RevealOf,
    RevealState,
    Role,
    Track,
    Urgency,
)
from tests.support.places import ROOT

HOME = ROOT / "bot" / "console"
TEXTS = ConsoleTexts()
CODES = [
    *(f"event.{code}" for code in EventCode),
    *(f"actor.{code}" for code in ActorClass),
    *(f"role.{code}" for code in Role),
    *(entry.name for entry in menu.ENTRIES),
    *(f"quarantine.{code}" for code in ("read", "release")),
    *(f"quarantine.drop.{code}" for code in release.DROPS),
    *(f"quarantine.done.{code}" for code in (*release.Became, "dropped")),
    *(f"letters.channel.{code}" for code in Channel),
    *(f"letters.kind.{code}" for code in failed.TOLD),
    *(f"alarm.{code}" for code in Alarm),
    *(f"alarm.do.{code}" for code in Alarm),
    *(f"watch.{code}" for code in Watched),
    *(f"health.age.{level.value}" for level in health.AGES),
    *(f"health.{unit}" for unit in ("minutes", "hours", "days")),
    *(f"track.{code}" for code in Track),
    *(f"urgency.{code.name}" for code in Urgency),
    *(f"rights.{part}.{kind}" for part in ("kind", "explain") for kind in RequestKind),
    *(f"file.state.{code}" for code in FileState),
    *(f"mark.{code}" for code in Mark),
    *(f"reveal.state.{code}" for code in RevealState),
    *(
        f"reveal.{part}.{code}"
        for part in ("what", "form", "title", "open")
        for code in RevealOf
    ),
    *(f"reveal.code.{code}" for code in ("TOLD", "NORECEIPT", "EXPIRED", "REMOVED")),
    "reveal.code.HANDED_OVER",
    *(
        f"part.{step.code}"
        for step in load().report
        if not step.gate and step.name != "review"
    ),
    *(f"class.{name}" for name in (*FIELDS, AGENCY, "none", "confirm", "drop")),
    *(
        f"class.{hint}"
        for hint in ("lowering", "sp4n.hint", "post.hint", "regency.hint")
    ),
    *(f"file.why.{why}" for why in WHYS),
    *(f"file.hidden.{what}" for what in HIDDEN),
]


@cache
def used() -> set[str]:
    found = set(CODES)
    for source in [*HOME.rglob("*.py"), *HOME.rglob("*.html")]:
        found |= set(
            re.findall(r"""say\(\s*["']([\w.]+)["']\s*[,)]""", source.read_text())
        )
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_is_used_exists(language: str):
    catalogue = TEXTS.catalogue(language)
    assert used() - catalogue.keys() == set()
    assert [msgid for msgid, text in catalogue.items() if not text.strip()] == []


def test_both_languages_say_the_same_with_the_same_holes():
    one, other = (TEXTS.catalogue(language) for language in LANGUAGES)
    assert one.keys() == other.keys()
    assert [m for m in one if holes(one[m]) != holes(other[m])] == []


def test_no_text_is_left_over():
    families = (
        "problem.",
        "changed.",
        "door.",
        "second.problem.",
        "prove.problem.",
        "factor.problem.",
        "passkey.problem.",
        "own.problem.",
        "done.",
        "mine.",
        "language.",
        "account.done.",
        "account.no_bot",
        "account.waits",
        "act.",
        "log.family.",
        "figures.by.",
        "detail.",
        "trouble.",
        "people.done.",
        "person.problem.",
        "invite.problem.",
        "join.problem.",
        "vault.done.",
        "quarantine.why.",
        "letters.why.",
        "letters.mend.",
        "letters.done.",
        "suggested.",
        "sign.",
        "part.BESIDE",
    )
    left = {m for m in TEXTS.catalogue("en") if m not in used()}
    assert {m for m in left if not m.startswith(families)} == set()


def test_an_unknown_language_is_the_first():
    assert TEXTS.language("fr-CA") == "id"
    assert TEXTS.language("EN-gb") == "en"
    assert TEXTS.say("due.days", "en", n=3) == "In 3 days"
    assert not TEXTS.knows("nothing.at.all")
