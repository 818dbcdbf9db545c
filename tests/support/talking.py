"""A phone in a test: it writes, presses and sends, and remembers what it heard."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from handlers.dialogue import advance
from handlers.messages import Command, Incoming, Kind, Media, Proof
from handlers.questionnaire.book import Questionnaire, load
from handlers.questionnaire.proofs import SAMPLES
from handlers.talk.state import State
from handlers.talk.turn import Facts, Item, Turn
from handlers.texts import Rendered, Texts
from storage.words import Channel

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TOKEN = "tok_en-8"
CONTEXT = {name: SAMPLES[name] for name in ("agency", "link", "emergency", "elsewhere")}


@cache
def book() -> Questionnaire:
    return load()


@cache
def texts() -> Texts:
    return Texts(["id", "en"], CONTEXT)


@dataclass
class Phone:
    """One person on one channel. ``heard`` is what the last message was answered with."""

    channel: Channel = Channel.TELEGRAM
    state: State = field(default_factory=State)
    facts: Facts = field(default_factory=lambda: Facts(NOW, TOKEN))
    turn: Turn = field(default_factory=lambda: Turn(State()))
    heard: list[Rendered] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    wrote: list[Incoming] = field(default_factory=list)
    count: int = 0

    def send(self, kind: Kind, **more) -> "Phone":
        self.count += 1
        more = {"order": self.count, "message_id": self.count} | more
        incoming = Incoming(
            self.channel, "somebody", f"id-{self.count}", NOW, kind, **more
        )
        return self.take(incoming)

    def take(self, incoming: Incoming) -> "Phone":
        self.wrote.append(incoming)
        self.turn = advance(self.state, incoming, book(), self.facts)
        self.state = State.from_json(self.turn.state.to_json())
        self.items += self.turn.items
        self.heard = [
            texts().render(reply, language=self.state.language, channel=self.channel)
            for reply in self.turn.replies
        ]
        self.shown += [button for one in self.heard for button in one.buttons]
        return self

    def say(self, *lines: str) -> "Phone":
        for line in lines:
            self.send(Kind.TEXT, text=line)
        return self

    def press(self, *labels: str) -> "Phone":
        """Press the newest button with this label."""
        for label in labels:
            self.send(Kind.PRESS, press=self.button(label))
        return self

    def button(self, label: str) -> str:
        return next(data for shown, data in reversed(self.shown) if shown == label)

    def media(self, *refused: str, text: str = "", group: str = "") -> "Phone":
        """Send as many files as reasons are named; an empty reason is a good file."""
        files = tuple(
            Media(f"file-{n}", refused=reason, most=20)
            for n, reason in enumerate(refused)
        )
        return self.send(Kind.MEDIA, text=text, media=files, group=group)

    def proving(
        self, proof: Proof = Proof.OPENED, *, may_add: bool = True, **more
    ) -> "Phone":
        """Let the next messages be those in which a receipt was found."""
        self.facts = replace(self.facts, proof=proof, may_add=may_add, **more)
        return self

    def plainly(self, *, may_add: bool = False) -> "Phone":
        """Let the next messages hold no receipt."""
        self.facts = Facts(NOW, TOKEN, may_add=may_add)
        return self

    @property
    def said(self) -> list[str]:
        """The codes of the last answers."""
        return [reply.text for reply in self.turn.replies]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Step and text of everything that was kept so far."""
        return [(item.step, item.text) for item in self.items]

    @property
    def command(self) -> Command | None:
        return self.turn.command


def telegram(language: str = "id") -> Phone:
    return Phone(Channel.TELEGRAM, State(language=language))


def sms(language: str = "id") -> Phone:
    return Phone(Channel.SMS, State(language=language))


def whatsapp(language: str = "id") -> Phone:
    return Phone(Channel.WHATSAPP, State(language=language))
