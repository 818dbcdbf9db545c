"""One message with the state and facts that it meets; and how questions are asked."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers.messages import Command, CommandName, Incoming, Kind, Proof, Reply
from handlers.questionnaire import choices
from handlers.questionnaire.keywords import is_blank
from handlers.questionnaire.steps import Questionnaire, Step, StepKind
from handlers.talk.state import State
from handlers.talk.turn import Facts, Item, Turn
from storage.words import Audience, Channel, ItemKind

EDIT_MENU = "EDIT"


@dataclass(frozen=True, slots=True)
class Talk:
    """A message with the state it found. All of it is immutable."""

    state: State
    incoming: Incoming
    book: Questionnaire
    facts: Facts

    @property
    def open(self) -> Step | None:
        """The question that is open now."""
        return self.book.step(self.state.step)

    @property
    def on_sms(self) -> bool:
        """Whether this conversation has neither buttons nor files."""
        return self.incoming.channel is Channel.SMS

    @property
    def text(self) -> str:
        """What was written, fit for sealing: lone surrogates are replaced."""
        raw = self.incoming.text
        text = raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return "" if is_blank(text) else text

    @property
    def holds_receipt(self) -> bool:
        """Whether the message holds a case number, with a code or without."""
        return self.facts.proof is not Proof.NONE or self.facts.number_only

    @property
    def has_buttons(self) -> bool:
        """Whether a question can be answered by a button that nobody else can press."""
        return self.incoming.channel is Channel.TELEGRAM

    def numbered(self, step: Step) -> bool:
        """Say whether the options' numbers are the last that were seen."""
        if self.on_sms:
            return not step.kind.takes_text
        return self.state.menu == step.code

    @property
    def menu(self) -> Step | None:
        """The numbered menu that was shown last, where it is not the open question."""
        step = self.book.step(self.state.menu)
        if not step or self.on_sms or step.code in {self.state.step, EDIT_MENU}:
            return None
        return step if step.aside and step.kind is StepKind.CHOICE else None

    def question(self, state: State, code: str = "") -> Reply:
        """Return a question (the open one unless a code is given) with its buttons."""
        step = self.book.by_code[code or state.step]
        params = {}
        if step.kind is StepKind.CONFIRM:
            params = self._summary(state)
        draft = state.draft if is_of_draft(step) else ""
        return Reply(step.code, params, choices.buttons(step, draft))

    def _summary(self, state: State) -> dict[str, str]:
        counted = [step.code for step in self.book.parts if step.counted]
        done = [code for code in counted if is_filled(state, code)]
        parts = " ".join(f"P.{code}" for code in done) or "P.NONE"
        return {"n": str(len(done)), "of": str(len(counted)), "parts": f"@{parts}"}

    def reopen(self, state: State, *before: Reply, items: Iterable[Item] = ()) -> Turn:
        """Say something, then ask the open question (if any) again."""
        asked = (self.question(state),) if state.step in self.book.by_code else ()
        return Turn(state, tuple(items), (*before, *asked))

    def unclear(self) -> Turn:
        """Tell that a message was not understood, and every third time what to do."""
        count = self.state.unclear + 1
        state = replace(self.state, unclear=count)
        if not count % 3:
            return Turn(state, replies=(Reply("X01H"),))
        if not self.on_sms:
            return self.reopen(state, Reply("X01"))
        listed = self.open and self.open.is_list
        return Turn(state, replies=(Reply("X01"),)) if listed else self.reopen(state)

    def answer_item(self, step: Step, state: State, text: str) -> Item:
        """Return the item for a text that answers a step of the draft."""
        return Item(
            step.code,
            ItemKind.IDENTITY if step.identity else ItemKind.ANSWER,
            text,
            Audience.IDENTITY if step.identity else Audience.CASE,
            version=state.versions.get(step.code, 1),
        )

    def pressed(self, state: State, order: int, data: str) -> "Talk":
        """Return the talk of a button press that is applied once more."""
        incoming = replace(
            self.incoming, kind=Kind.PRESS, press=data, order=order, text="", media=()
        )
        return replace(
            self, state=state, incoming=incoming, facts=without_proof(self.facts)
        )


def sound(state: State, book: Questionnaire) -> State:
    """Return the state with every step known: a questionnaire may change under a draft."""
    known = book.by_code
    held = state.held if state.held in known else ""
    back = state.back if state.back in known else ""
    step = state.step if state.step in known else ""
    if state.draft and not step and not held:
        gates = (
            one for one in book.report if one.gate and one.code not in state.answers
        )
        step = next(gates, book.story).code
    return replace(state, step=step or held, held=held if step else "", back=back)


def with_menu(turn: Turn, book: Questionnaire) -> Turn:
    """Remember whose numbers the person sees now; words that were kept close a menu."""
    state = turn.state
    menu = "" if turn.items and state.menu != state.step else state.menu
    for reply in turn.replies:
        if reply.text in book.by_code:
            menu = reply.text if reply.choices else ""
    return (
        turn if menu == state.menu else replace(turn, state=replace(state, menu=menu))
    )


def is_of_draft(step: Step) -> bool:
    """Say whether the buttons of a question belong to one draft."""
    return not step.aside or step.code == EDIT_MENU


def is_filled(state: State, code: str) -> bool:
    """Say whether a part of the report holds something an officer can use."""
    return code in state.filled or state.answers.get(code, "") in {"STILL", "NOTYET"}


def without_proof(facts: Facts) -> Facts:
    """Return the facts for a message that holds no receipt."""
    return replace(facts, proof=Proof.NONE, number_only=False, resumed_expired=False)


def hold(state: State, step: str, purpose: str = "") -> State:
    """Open a question that is none of the draft's; the draft's own one waits."""
    held = state.held or (state.step if state.draft else "")
    return replace(state, step=step, held=held, menu="", purpose=purpose, noted=False)


def release(state: State) -> State:
    """Close such a question; the draft's own one is open again."""
    return replace(state, step=state.held, held="", menu="", purpose="", noted=False)


def release_if_held(talk: Talk) -> Talk:
    """Leave whatever is open beside the draft."""
    beside = not talk.state.draft or talk.state.held
    return replace(talk, state=release(talk.state)) if beside else talk


def keep(talk: Talk) -> Turn:
    """Change nothing, and say so."""
    return talk.reopen(release(talk.state), Reply("KEPT"))


def discard(state: State, reply: Reply) -> Turn:
    """Forget everything but the language, and have the draft deleted if there is one."""
    command = Command(CommandName.DISCARD) if state.draft else None
    return Turn(state.fresh(), replies=(reply,), command=command)
