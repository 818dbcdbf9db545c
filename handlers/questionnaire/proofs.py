"""Prove a questionnaire and its texts before a reporter meets them (``kentongan check``).

Every step can be reached; every text stands in every language and variant, with the same
holes; every SMS fits one GSM-7 segment once it is filled in; no SMS asks for a word that
a provider takes for itself; every label fits a button and can be typed; every button's
data fits 64 bytes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from handlers.lengths import ONE_SEGMENT, septets
from handlers.questionnaire.choices import DATA_BYTES, buttons
from handlers.questionnaire.keywords import normalise
from handlers.questionnaire.steps import Questionnaire, Step
from handlers.texts import BOTH, BUTTON, VARIANTS, TextMissing, Texts, fill, holes
from storage.words import Group, Reason, Status, Urgency

LABEL_LETTERS: Final = 20
"""What a WhatsApp reply button shows."""

SAMPLES: Final[Mapping[str, str]] = {
    "agency": "Inspektorat Jambi",
    "link": "lapor.jambi.go.id",
    "emergency": "112 / 110",
    "elsewhere": "lapor.go.id / Ombudsman 137",
    "case": "7K3M-9QXB",
    "code": "1234-5678-9012-3456",
    "n": "15",
    "of": "15",
    "parts": "-",
    "date": "31/12/2026",
    "category": "GROUP",
    "urgency": "urgent",
    "partner": "Lembaga Perlindungan Saksi dan Korban (LPSK)",
    "unit": "Wilayah II",
    "by": "siti",
    "second": "rini",
    "when": "31.12.2026 09:30",
    "day": "31.12.2026",
    "head": "12:01" + 64 * "a",
    "line": "12",
    "lines": "12",
    "read": "12",
    "reveals": "12",
    "removed": "12",
    "wrong": "12",
    "what": "the last backup is too old",
    "taken": "12",
    "waiting": "12",
    "lost": "12",
}
"""The values with which the length of an SMS is measured."""

ROOM: Final[Mapping[str, tuple[str, int]]] = {
    "agency": ("agency.name", 45),
    "link": ("agency.info_url, or server.public_url in its place,", 40),
    "emergency": ("agency.emergency_numbers", 15),
    "elsewhere": ("agency.elsewhere", 60),
}
"""What a setting is called, and for how many places of it our texts have room."""

SPOKEN: Final = (
    "ACCESSED", "ADDED", "AGAIN", "ALERT.ANSWER", "ALERT.ANSWER.MANY", "ALERT.HANDED", "ALERT.HANDED.MANY", "ALERT.HANDED_AWAY",
    "ALERT.HANDED_AWAY.MANY", "ALERT.NEW", "ALERT.NEW.MANY", "ALERT.REQUEST", "ALERT.REQUEST.MANY", "ALERT.REVEAL", "ALERT.REVEAL.MANY",
    "ALERT.REVEAL_ANSWERED", "ALERT.REVEAL_ANSWERED.MANY", "ALERT.URGENT", "ALERT.URGENT.MANY", "ALERT.WITHDRAWN", "ALERT.WITHDRAWN.MANY", "ALSO", "ASKED", "BACK", "BREACH", "BUSY", "CHANGED", "CLEAN0", "CLEANING", "CLEANLEFT",
    "CORRECTING", "DUTY.GONE", "DUTY.KNOCK", "DUTY.LINKED", "DUTY.OPEN", "DUTY.ROUTE", "DUTY.TAKEN", "DUTY.UNKNOWN", "DUTY.UNROUTE", "EDIT0",
    "EDITED", "EMPTY", "FILE0", "FILED", "FILEGONE", "FILELATE", "FILESTATE", "FORGOTTEN", "FULL", "FULLNEWS", "HELD", "HELDBACK", "IDENTITY",
    "INCOMPLETE", "JOINED", "KEEP", "KEPT", "LATE", "LATE0", "LEFT", "LOSTCODE", "MORE", "NAMED.ADDRESS", "NAMED.ELSEWHERE", "NAMED.PARTNER", "NEEDGATE",
    "NEEDSTORY", "NODRAFT", "NOTADDED", "NOTKEPT", "NOWCONF", "OPENED", "PAUSED", "POLICY", "POLITE", "PRESSIT", "PURGED", "Q15F", "Q20", "Q21H",
    "Q22C", "Q24", "Q26H", "Q27", "Q27CH", "Q27FH", "Q28", "Q30H", "QUOTED", "QUOTEDDRAFT", "RESTRICTED", "REVEALED", "REVEALED.FILE", "SAMEWORDS", "SENT",
    "STOPPED", "SUBFULL", "SUBNONE", "SUBSCRIBED", "TAKEN", "THANKS", "TIMEOVER", "WITHDRAWN", "X01", "X01H", "X01N", "X01R", "X02", "X04", "X05",
    "X06", "X06W", "X07",
    "X08", "X09", "X10", "X11", "X12", "X13", "X14",
)  # fmt: skip
"""What the dialogue and the verbs say beside its questions; a test reads the code."""

_SHARED: Final = frozenset({"STOP", "RESUME", "HELP"})
"""What a provider's own words mean to us too."""

_CAPITALS: Final = re.compile(r"\b[A-Z]{2,}\b")


def check(questionnaire: Questionnaire, texts: Texts) -> list[str]:
    """Return what is wrong, one line each; an empty list is a proof."""
    return [
        *_unreachable(questionnaire),
        *_missing(questionnaire, texts),
        *_uneven(texts),
        *_unsaid(questionnaire, texts),
        *_not_in_gsm(texts),
        *_too_long(texts),
        *_taken(questionnaire, texts),
        *_swallowed(questionnaire),
        *_buttons(questionnaire, texts),
    ]


def _unreachable(book: Questionnaire) -> Iterator[str]:
    for index, step in enumerate(book.report):
        before = {one.code: one for one in book.report[:index]}
        late = step.when.keys() - before
        if late:
            yield f"{step.code}: `when` asks about {sorted(late)}, which come later"
        elif not _may_be_asked(step, before):
            yield f"{step.code}: no answers lead to this step"


def _may_be_asked(step: Step, before: Mapping[str, Step]) -> bool:
    """Try all answers to the steps on which this one depends, near or far."""
    asked: dict[str, Step] = {}
    todo = [step]
    while todo:
        for code in todo.pop().when:
            cause = before.get(code)
            if cause and cause.code not in asked:
                asked[cause.code] = cause
                todo.append(cause)
    codes = [["", *(option.code for option in one.options)] for one in asked.values()]
    for row in product(*codes):
        answers = {code: given for code, given in zip(asked, row, strict=True) if given}
        sound = all(asked[code].applies(answers) for code in answers)
        if sound and step.applies(answers):
            return True
    return False


def _wanted(book: Questionnaire) -> Iterator[tuple[str, str]]:
    """Yield (variant, msgid) of every text that may be said."""
    said: set[str] = {*SPOKEN, *Reason}
    said |= {f"{head}.{status}" for head in ("S", "STATUS") for status in Status}
    said |= {f"GROUP.{group}" for group in Group}
    said |= {f"URGENCY.{urgency.name}" for urgency in Urgency}
    for step in book.steps:
        said.add(step.code)
        said |= {
            one
            for option in step.options
            for one in (option.ends, option.says, option.warns)
            if one
        }
    for msgid in sorted(said):
        yield from ((variant, str(msgid)) for variant in VARIANTS)
    for label in sorted(
        {option.label for step in book.steps for option in step.options}
    ):
        yield BUTTON, label
    yield from (
        ("chat", f"P.{code}") for code in ("NONE", *(part.code for part in book.parts))
    )


def _missing(book: Questionnaire, texts: Texts) -> Iterator[str]:
    for language in texts.languages:
        for variant, msgid in _wanted(book):
            try:
                if variant == BUTTON:
                    texts.label(msgid, language)
                else:
                    texts.find(msgid, language, variant)
            except TextMissing:
                yield f"{language} {variant} {msgid}: the text is missing"


def _uneven(texts: Texts) -> Iterator[str]:
    """Compare the catalogues with the first one: same texts, same holes."""
    first, *others = texts.languages
    model = {(variant, msgid): text for variant, msgid, text in texts.known(first)}
    for language in others:
        here = {
            (variant, msgid): text for variant, msgid, text in texts.known(language)
        }
        for variant, msgid in sorted(model.keys() ^ here.keys()):
            yield f"{variant} {msgid}: not in both {first} and {language}"
        for key in sorted(model.keys() & here.keys()):
            if holes(model[key]) != holes(here[key]):
                yield f"{language} {key[0]} {key[1]}: other holes than in {first}"
    for language in texts.languages:
        for variant, msgid, text in texts.known(language):
            if strange := holes(text) - SAMPLES.keys() - {"reason"}:
                yield f"{language} {variant} {msgid}: nobody fills in {sorted(strange)}"


def _unsaid(book: Questionnaire, texts: Texts) -> Iterator[str]:
    """Find what an agency wrote and nobody says: most often a misspelt code."""
    said = set(_wanted(book)) | {(BOTH, msgid) for _, msgid in _wanted(book)}
    for language in texts.languages:
        for variant, msgid in sorted(texts.added(language) - said):
            yield f"{language} {variant} {msgid}: nobody says this text"


def _not_in_gsm(texts: Texts) -> Iterator[str]:
    for name, (setting, _) in ROOM.items():
        if septets(texts.context.get(name, "")) is None:
            yield f"{setting} has a letter that is not in GSM-7, the alphabet of SMS"


def _too_long(texts: Texts) -> Iterator[str]:
    """Measure every SMS with the agency's own settings, and with samples for the rest."""
    for language in texts.languages:
        for variant, msgid, text in texts.known(language):
            if variant not in {"sms", BOTH}:
                continue
            for reason in _reasons(texts, language, text):
                places = septets(
                    fill(text, {**SAMPLES, **texts.context, "reason": reason})
                )
                if places is None and septets(_bare(text)) is None:
                    yield f"{language} {variant} {msgid}: a letter is not in GSM-7"
                elif places is not None and places > ONE_SEGMENT:
                    blamed = _blamed(texts, text)
                    yield f"{language} {variant} {msgid}: {places} places, one SMS has 160{blamed}"


def _bare(text: str) -> str:
    """Return a text without what is filled in."""
    return fill(text, dict.fromkeys(holes(text), ""))


def _blamed(texts: Texts, text: str) -> str:
    """Name the settings that are longer than the room which our texts have for them."""
    found = [
        f"{setting} has {size} and may have {most}"
        for name, (setting, most) in ROOM.items()
        if name in holes(text)
        and (size := septets(texts.context.get(name, "")) or 0) > most
    ]
    return f"; {', '.join(found)}" if found else ""


def _reasons(texts: Texts, language: str, text: str) -> Sequence[str]:
    if "reason" not in holes(text):
        return ("",)
    return [texts.find(reason, language, "sms") for reason in Reason]


def _taken(book: Questionnaire, texts: Texts) -> Iterator[str]:
    for language in texts.languages:
        for variant, msgid, text in texts.known(language):
            if variant not in {"sms", BOTH}:
                continue
            words = {normalise(word) for word in _CAPITALS.findall(text)}
            for provider, taken in book.taken.items():
                for word in sorted(words & taken):
                    yield f"{language} {variant} {msgid}: {provider} takes {word.upper()}"


def _swallowed(book: Questionnaire) -> Iterator[str]:
    """Find words that a provider takes for itself before they could mean anything to us.

    To stop, to come back and to ask for help mean the same to both.
    """
    words = book.keywords
    meant = [
        (
            command,
            frozenset().union(*row.values()) - words.chat_only.get(command, set()),
        )
        for command, row in words.commands.items()
        if command not in _SHARED
    ]
    meant += [
        (f"{step.code} {option.code}", option.words)
        for step in book.steps
        for option in step.options
        if option.code not in _SHARED
    ]
    meant += [("[words] " + code, said) for code, said in words.words.items()]
    for provider, taken in book.taken.items():
        for where, said in meant:
            known = words.chat_only.get(where.rpartition(" ")[2], frozenset())
            for word in sorted((said & taken) - known):
                yield f"{where}: {provider} takes {word.upper()} for itself"


def _buttons(book: Questionnaire, texts: Texts) -> Iterator[str]:
    for step in book.steps:
        for choice in buttons(step, "tokentok" if not step.aside else ""):
            if len(choice.data.encode()) > DATA_BYTES:
                yield f"{step.code}: the data of {choice.label} is longer than 64 bytes"
        for language in texts.languages:
            yield from _labels(step, texts, language)


def _labels(step: Step, texts: Texts, language: str) -> Iterator[str]:
    for option in step.options:
        if not option.shown:
            continue
        try:
            label = texts.label(option.label, language)
        except TextMissing:
            continue  # told by _missing
        if len(label) > LABEL_LETTERS:
            yield f"{language} {step.code} {label!r}: longer than a button (20 letters)"
        meant = [one.code for one in step.options if normalise(label) in one.words]
        if meant != [option.code]:
            yield f"{language} {step.code} {label!r}: typed, it means {meant or 'nothing'}"
