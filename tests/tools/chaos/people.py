"""Reporters as they are: they wait a while, then say it again; each word can be traced."""

import asyncio
import contextlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.pofile import read_po
from PIL import Image

from tests.journeys.telling import RECEIPT, Receipt
from tests.support.phones import Phone, Refused
from tests.support.places import ROOT
from tests.tools.chaos.dice import Dice
from tests.tools.chaos.ledger import Ledger, Sent

CATALOGUE = ROOT / "handlers/locales/id/messages.po"
MOST_SILENCES = 14
EXAMPLE = "7K3M-9QXB"
"""What stands in our texts to show how a number looks."""
RECEIPT_SECONDS = 240.0
PUZZLED = frozenset(
    (
        *("X01", "X01H", "X01N", "X01R", "BUSY", "X02", "X06", "X07", "X09", "X11"),
        *("X12", "X13", "NOTKEPT", "NOTADDED", "FILE0", "EDIT0", "FULL", "NODRAFT"),
        *("TIMEOVER", "NEEDGATE", "POLITE", "LEFT", "STOPPED", "Q01"),
    )
)
"""What says that the last words were not kept; one of them explains one message."""


@dataclass(frozen=True)
class Mark:
    """A traceable word in one message; ``purpose`` says what the message was."""

    word: str
    reporter: str
    report: int
    purpose: str


@dataclass
class World:
    """What all reporters share. ``patience`` is how long they wait, in seconds."""

    ledger: Ledger
    patience: tuple[float, float]
    marks: dict[str, Mark] = field(default_factory=dict)


def phrases(path: Path = CATALOGUE) -> dict[str, str]:
    """Map the longest fixed piece of each text to its code."""
    found: dict[str, str] = {}
    with path.open("rb") as file:
        for message in read_po(file):
            if not message.id or message.context == "button":
                continue
            pieces = re.split(r"\{\w+\}", str(message.string))
            piece = max(pieces, key=len).strip()[:40]
            if len(piece) > 10:
                found.setdefault(piece, str(message.id))
    return found


PHRASES = phrases()


def codes(line: Sent) -> list[str]:
    """Return the codes of what stands in a line, in order of their place."""
    found = [
        (line.text.index(piece), code)
        for piece, code in PHRASES.items()
        if piece in line.text
    ]
    return [code for _, code in sorted(found)]


def photo(dice: Dice) -> tuple[str, str, bytes]:
    """Take a small photo, different each time."""
    shade = tuple(dice.below("shade", 256) for _ in range(3))
    out = io.BytesIO()
    Image.new("RGB", (24, 24), shade).save(out, "JPEG")
    return "foto.jpg", "image/jpeg", out.getvalue()


@dataclass
class Reporter:
    """A person with one phone. ``said`` is their script as it was played."""

    name: str
    phone: Phone
    dice: Dice
    world: World
    listened: int = 0
    report: int = 0
    said: list[str] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    ended: str = "not begun"
    cancelled: set[int] = field(default_factory=set)
    stopped: bool = False
    last: tuple[str, ...] = ()

    @property
    def channel(self) -> str:
        return self.name.rstrip("0123456789")

    def mark(self, purpose: str) -> str:
        """Make a word that leads back here."""
        word = self.dice.marker()
        self.world.marks[word] = Mark(word, self.name, self.report, purpose)
        return word

    async def say(self, text: str, purpose: str = "") -> None:
        """Send a text; one with a purpose gets a word that can be traced."""
        self.last = ("say", text, purpose)
        if purpose:
            text = f"{text} {self.mark(purpose)}"
        self.said.append(text)
        await self.phone.say(text)

    async def press(self, label: str) -> None:
        """Press a button, or type what stands on it where there is none."""
        self.last = ("press", label)
        if self.channel == "telegram" and self.dice.chance("presses", 0.6):
            with contextlib.suppress(Refused):
                await self.phone.press(label)
                self.said.append(f"[{label}]")
                return
        self.said.append(label)
        await self.phone.say(label)

    async def attach(self, text: str, purpose: str, count: int = 1) -> None:
        """Send photos; the first has words under it."""
        self.last = ()
        words = f"{text} {self.mark(purpose)}"
        self.said.append(f"<{count}> {words}")
        files = [photo(self.dice) for _ in range(count)]
        await self.phone.attach(*files, text=words)

    async def again(self) -> None:
        """Do the last thing once more, or ask where we are."""
        last = self.last
        match last:
            case ("say", text, purpose) if self.dice.chance("again", 0.7):
                await self.say(text, purpose)
            case ("press", label) if self.dice.chance("again", 0.7):
                await self.press(label)
            case _:
                await self.say("LANJUT")
        self.last = last

    async def listen(self, patience: float) -> list[Sent]:
        """Return what arrived since, nothing after ``patience`` seconds of silence."""
        ledger = self.world.ledger

        def news() -> list[Sent]:
            return ledger.heard.get(self.name, [])[self.listened :]

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience), ledger.arrived:
                await ledger.arrived.wait_for(news)
        await asyncio.sleep(0.1)
        found = news()
        self.listened += len(found)
        self.note(found)
        return found

    def note(self, lines: list[Sent]) -> None:
        """Write down the receipts in these lines."""
        for line in lines:
            if paper := RECEIPT.search(line.text):
                slip = Receipt(paper[1], paper[2])
                if slip not in self.receipts and slip.number != EXAMPLE:
                    self.receipts.append(slip)

    async def hears(self, *wanted: str) -> str:
        """Wait until one of these codes is heard, insisting; empty when in vain."""
        silences = 0
        while silences < MOST_SILENCES:
            lines = await self.listen(self.patience())
            said = [code for line in lines for code in codes(line)]
            for code in said:
                if code in wanted:
                    return code
            if not lines or set(said) & PUZZLED:
                silences += 1
                await self.again()
        return ""

    async def gets_receipt(self, known: int) -> bool:
        """Wait for one receipt more than were known; what was sent comes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + RECEIPT_SECONDS
        while len(self.receipts) <= known:
            if loop.time() > end:
                return False
            await self.listen(min(10.0, max(0.1, end - loop.time())))
        return True

    def patience(self) -> float:
        return self.dice.between("patience", *self.world.patience)
