"""What must hold of every conversation: found by machine, not thought of by people."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.dialogue import advance
from handlers.messages import CommandName, Incoming, Kind, Media, Proof
from handlers.questionnaire.book import StepKind
from handlers.talk.state import State
from storage.words import Audience, Channel, Mark
from tests.support.talking import NOW, TOKEN, Phone, book, texts

MARK = "RahasiaSumur88"
STORY = f"{MARK} kades minta uang"

_words = sorted(
    {
        word
        for row in book().keywords.commands.values()
        for each in row.values()
        for word in each
    }
    | {
        word
        for step in book().steps
        for option in step.options
        for word in option.words
    }
)
_lines = st.one_of(
    st.sampled_from(_words),
    st.sampled_from(_words).map(lambda word: f"{word} {STORY}"),
    st.sampled_from([str(number) for number in range(12)]),
    st.text(st.characters(), max_size=30).map(lambda text: f"{text}{MARK}"),
    st.text(st.characters(), max_size=8),
    st.just(f"{MARK}\ud800\u200f\u0000"),
)
_kinds = st.sampled_from([kind for kind in Kind if kind not in {Kind.TEXT, Kind.PRESS}])
_files = st.lists(
    st.sampled_from(["", "X04"]).map(
        lambda reason: Media(MARK, name=MARK, refused=reason)
    ),
    max_size=3,
).map(tuple)
_proofs = st.sampled_from([Proof.NONE] * 12 + list(Proof))


@st.composite
def _moves(draw):
    """One message, with the facts that the world adds to it."""
    kind = draw(st.sampled_from([Kind.TEXT] * 8 + [Kind.PRESS] * 4) | _kinds)
    return {
        "kind": kind,
        "text": draw(_lines) if kind is not Kind.PRESS else "",
        "press": draw(st.integers(0, 30)) if kind is Kind.PRESS else -1,
        "odd": draw(st.text(st.characters(), max_size=40)),
        "media": draw(_files) if kind is Kind.MEDIA else (),
        "group": draw(st.sampled_from(["", MARK])),
        "order": draw(st.sampled_from([0, -3, 1])),
        "message_id": draw(st.integers(0, 5)),
        "proof": draw(_proofs),
        "may_add": draw(st.booleans()),
        "whole": draw(st.booleans()),
        "number_only": draw(st.sampled_from([False] * 12 + [True])),
        "expired": draw(st.sampled_from([False] * 20 + [True])),
        "quoted": draw(st.sampled_from([""] * 4 + ["7K3M-9QXB"])),
        "late_part": draw(st.sampled_from([False] * 12 + [True])),
        "flooding": draw(st.sampled_from([False] * 4 + [True])),
        "repeated": draw(st.sampled_from([False] * 6 + [True])),
        "live": draw(st.booleans()),
        "marks": draw(st.sampled_from([()] * 4 + [(mark,) for mark in Mark])),
    }


_channels = st.sampled_from(Channel)
_scripts = st.lists(_moves(), max_size=30)
_openings = st.sampled_from(
    [
        [],
        ["LAPOR", "ya", "ya", "ya"],
        ["LAPOR", "ya", "ya", "ya", "2", "Budi", "1", "x", "y", "1"],
        ["LAPOR", "ya", "ya", "ya", *["lewat"] * 5, "cerita", "selesai"],
        [
            "LAPOR",
            "ya",
            "ya",
            "ya",
            *["lewat"] * 5,
            "cerita",
            "selesai",
            *["lewat"] * 9,
        ],
    ]
)


def _step(phone: Phone, move: dict[str, Any]) -> Incoming:
    phone.facts = replace(
        phone.facts,
        proof=move["proof"],
        may_add=move["may_add"],
        number_only=move["number_only"],
        resumed_expired=move["expired"],
        whole=move["whole"],
        quoted=move["quoted"],
        late_part=move["late_part"],
        flooding=move["flooding"],
        repeated=move["repeated"],
    )
    shown = phone.shown[-1 - move["press"] % len(phone.shown)][1] if phone.shown else ""
    phone.count += 1
    incoming = Incoming(
        phone.channel,
        MARK,
        f"{phone.count}",
        NOW,
        move["kind"],
        text=move["text"],
        press=(shown if move["press"] % 5 else move["odd"])
        if move["press"] >= 0
        else "",
        media=move["media"],
        group=move["group"],
        order=max(0, phone.count + 3 * min(move["order"], 0)) if move["order"] else 0,
        message_id=move["message_id"],
        marks=move["marks"],
        live=move["live"],
    )
    phone.take(incoming)
    return incoming


def _reached(channel, opening, script) -> Phone:
    phone = Phone(channel).say(*opening)
    for move in script:
        _step(phone, move)
    return phone.plainly()


def _silence_is_meant(before: State, phone: Phone, incoming: Incoming) -> bool:
    if incoming.kind in {Kind.BLOCKED, Kind.OPT_OUT, Kind.MOVED}:
        return True
    if phone.facts.late_part and any(item.beside for item in phone.turn.items):
        return True
    again = bool(incoming.group) and incoming.group in before.albums
    told = (before, before.base) if before.base else (before,)
    noted = any(one.noted or one.itself for one in told)
    refused = again and incoming.kind in {Kind.MEDIA, Kind.LOCATION, Kind.CONTACT}
    return refused or (bool(phone.turn.items) and (noted or again))


@given(_channels, _openings, _scripts)
@settings(max_examples=120, deadline=None)
def test_any_message_in_any_state_is_answered_and_nothing_is_echoed(
    channel, opening, script
):
    phone = Phone(channel).say(*opening)
    for move in script:
        before = phone.state
        incoming = _step(phone, move)
        turn = phone.turn
        assert turn.replies or _silence_is_meant(before, phone, incoming)
        for reply in turn.replies:
            for language in ("id", "en"):
                said = texts().render(reply, language=language, channel=channel)
                assert MARK not in said.text
                assert "(" + "n)" not in said.text
                assert all(len(data.encode()) <= 64 for _, data in said.buttons)
        assert State.from_json(turn.state.to_json()) == turn.state
        memory = json.loads(turn.state.to_json())
        for name in ("albums", "captioned"):
            memory.pop(name, None)
            memory.get("base", {}).pop(name, None)
        assert MARK not in json.dumps(memory)
        _check_items(phone, move)
        _check_state(turn.state)
        if turn.command and turn.command.name in {
            CommandName.SUBMIT,
            CommandName.DISCARD,
        }:
            assert turn.state == turn.state.fresh()


def _check_items(phone: Phone, move: dict[str, Any]) -> None:
    for item in phone.turn.items:
        item.text.encode()
        step = book().by_code[item.step]
        assert item.audience is (Audience.IDENTITY if step.identity else Audience.CASE)
        number = (
            move["number_only"] and not item.beside
        )  # beside: a number is no secret
        if move["proof"] is not Proof.NONE or number:
            assert item.text in {"", "Tidak tahu", "Do not know"}


def _check_state(state: State) -> None:
    own = {step.code for step in book().report} | {"EDIT"}
    assert not state.step or state.step in book().by_code
    assert bool(state.draft) == ((state.held or state.step) in own)
    assert not state.held or state.step not in own


@given(_channels, _openings, _scripts)
@settings(max_examples=60, deadline=None)
def test_nobody_is_ever_stuck(channel, opening, script):
    phone = _reached(channel, opening, script)
    had = phone.state.has_draft
    if "Q10" in phone.state.filled:
        sent = Phone(channel, phone.state, count=phone.count + 100).say("KIRIM")
        sent = sent if sent.command else sent.say("KIRIM")
        assert sent.command
        assert sent.command.name is CommandName.SUBMIT
    _two_passing_words_move_on(Phone(channel, phone.state, count=phone.count + 100))
    if had:
        _walk_to_review(Phone(channel, phone.state, count=phone.count + 100))
    phone.count += 100
    if phone.state.held or phone.state.step == "EDIT":
        phone.say("BATAL")
        assert phone.state.has_draft, "it closes what is open beside the draft"
        assert phone.command is None
    phone.say("BATAL")
    assert phone.state == phone.state.fresh()
    assert (phone.command is not None) == had
    phone.say("LAPOR", "ya", "ya", "ya", "KIRIM")
    assert phone.state.step == "Q10"
    assert phone.say("cerita", "KIRIM").command
    assert phone.state == phone.state.fresh()


def _two_passing_words_move_on(phone: Phone) -> None:
    """Whoever wants to pass comes past every question but consent, story and review."""
    before = phone.state.step
    step = book().step(before)
    if not step or step.gate or step.kind is StepKind.CONFIRM:
        return
    if step.required and step.code not in phone.state.filled:
        return
    for word in ("LEWAT", "SKIP", "TIDAK", "tidak tahu"):
        again = Phone(phone.channel, phone.state, count=phone.count)
        if word == "TIDAK" and not (step.aside and not step.kind.takes_text):
            continue  # there it is an answer, or no word of the question
        if word == "tidak tahu" and step.kind.takes_text:
            continue  # there it may be the answer
        again.say(word)
        seen = {before, again.state.step}
        again.say(word)
        assert len({*seen, again.state.step}) > 1, (word, before)


def _walk_to_review(phone: Phone) -> None:
    """Whoever only ever says the simplest thing comes to the review."""
    phone.say("LANJUT") if phone.state.held else None
    for _ in range(60):
        if phone.state.step == "Q19":
            return
        step = book().by_code[phone.state.step]
        if step.gate or step.code == "EDIT":
            phone.say("1")
        elif step.required:
            phone.say("cerita", "SELESAI")
        else:
            phone.say("LEWAT")
    raise AssertionError(phone.state)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*State.__dataclass_fields__, "later"]),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    ),
    _lines,
)
@settings(max_examples=120, deadline=None)
def test_any_remembered_json_is_a_state_that_answers(raw, line):
    state = State.from_json(json.dumps(raw))
    assert State.from_json(state.to_json()) == state
    phone = Phone(Channel.TELEGRAM, state)
    phone.say(line).say("BATAL").say("BATAL")
    assert not phone.state.has_draft, "the first may close what stood beside the draft"


def test_broken_json_is_a_new_state():
    for text in ("", "{", "[1,", "[" * 100_000, '{"language": 3}'):
        assert State.from_json(text) == State()


# ---- the order in which Telegram delivers -------------------------------------------


@st.composite
def _written(draw):
    """What one person writes and presses, in their own order, every button having been seen.

    Nothing that ends the draft: what comes after its end has no place to belong to.
    """
    phone = Phone(Channel.TELEGRAM)
    phone.say(*draw(_openings.filter(bool)))
    start, count = phone.state, phone.count
    ends = {"SEND", "ABORT", "NO", "OTHER"}
    messages: list[Incoming] = []
    for _ in range(draw(st.integers(1, 12))):
        live = [data for _, data in phone.shown if data.split(".")[-1] not in ends]
        text = draw(
            st.sampled_from(
                ["satu dua", "1", "3", "lewat", "selesai", "2 juta", "UBAH"]
            )
        )
        if live and draw(st.booleans()):
            phone.send(Kind.PRESS, press=draw(st.sampled_from(live[-12:])))
        else:
            phone.send(
                Kind.TEXT,
                text=f"{text}" if text != "satu dua" else f"kata {phone.count}",
            )
        if not phone.state.has_draft:
            break
        messages.append(phone.wrote[-1])
    return start, count, messages


def _overtaking(draw, messages):
    """Let presses arrive before texts that were written earlier; each kind in its order."""
    out = list(messages)
    for index in range(1, len(out)):
        place = index
        if out[index].kind is not Kind.PRESS:
            continue
        for _ in range(draw(st.integers(0, 4))):
            if place == 0 or out[place - 1].kind is Kind.PRESS:
                break
            out[place - 1], out[place] = out[place], out[place - 1]
            place -= 1
    return out


def _outcome(start: State, count: int, messages: list[Incoming]):
    phone = Phone(Channel.TELEGRAM, start, count=count)
    commands = []
    for incoming in messages:
        phone.take(incoming)
        commands += [phone.command.name] if phone.command else []
    now = phone.state
    items = sorted((item.text, item.step, item.version) for item in phone.items)
    return (
        items,
        now.step,
        now.answers,
        set(now.filled),
        now.back,
        now.versions,
        commands,
    )


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_press_that_overtakes_texts_changes_nothing(data):
    start, count, messages = data.draw(_written())
    delivered = _overtaking(data.draw, messages)
    assert _outcome(start, count, delivered) == _outcome(start, count, messages)


def test_a_late_text_belongs_to_the_question_that_the_press_closed():
    phone = Phone(Channel.TELEGRAM).say("LAPOR", "ya", "ya", "ya", *["lewat"] * 5)
    assert phone.state.step == "Q10"
    done = phone.button("Selesai")
    phone.send(Kind.TEXT, text="satu", order=101)
    phone.send(Kind.PRESS, press=done, order=103)
    assert phone.said == ["Q11"]
    phone.send(Kind.TEXT, text="dua", order=102)
    assert phone.said == ["TAKEN"]
    phone.send(Kind.TEXT, text="Kantor desa", order=104)
    assert phone.kept == [("Q10", "satu"), ("Q10", "dua"), ("Q11", "Kantor desa")]


def test_done_may_overtake_the_whole_story():
    phone = Phone(Channel.TELEGRAM).say("LAPOR", "ya", "ya", "ya", *["lewat"] * 5)
    phone.send(Kind.PRESS, press=phone.button("Selesai"), order=103)
    assert phone.said == ["NEEDSTORY", "Q10"]
    phone.send(Kind.TEXT, text="satu", order=102)
    assert phone.said == ["TAKEN", "Q11"]
    assert phone.kept == [("Q10", "satu")]


def test_a_text_that_overtakes_a_press_stays_with_the_question_that_was_open():
    phone = Phone(Channel.TELEGRAM).say("LAPOR", "ya", "ya", "ya", *["lewat"] * 5)
    done = phone.button("Selesai")
    phone.send(Kind.TEXT, text="satu", order=101).send(Kind.TEXT, text="dua", order=103)
    phone.send(Kind.PRESS, press=done, order=102)
    assert phone.kept == [("Q10", "satu"), ("Q10", "dua")]
    assert phone.said == ["Q11"]


def test_presses_without_end_are_forgotten_from_the_front():
    phone = Phone(Channel.TELEGRAM).say("LAPOR", "ya", "ya", "ya", "1")
    for _ in range(40):
        phone.press("Rahasia", "Anonim")
    assert len(phone.state.presses) == 24
    phone.send(Kind.TEXT, text="1", order=phone.count)
    assert phone.state.answers["Q05"] == "ANON"


def test_the_token_of_a_draft_is_the_one_it_was_given():
    turn = advance(
        State(),
        Incoming(Channel.SMS, "h", "1", NOW, Kind.TEXT, text="LAPOR"),
        book(),
        Phone().facts,
    )
    assert turn.state.draft == TOKEN
    assert book().review.kind is StepKind.CONFIRM
