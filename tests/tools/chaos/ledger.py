"""The simulator's books, read as they grow: what came, what was acknowledged, what left."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.phones import Simulator, get

POLL_SECONDS = 20
SENDING = frozenset({"sendmessage", "create"})


@dataclass
class Came:
    """Something that a person sent, and how it fared on its way to us."""

    id: str
    phone: str
    channel: str
    kind: str
    text: str
    files: int
    at: float
    tries: list[int] = field(default_factory=list)
    confirmed: bool = False

    @property
    def acknowledged(self) -> bool:
        """Tell whether the server said that it has it."""
        return self.confirmed or any(200 <= status < 300 for status in self.tries)


@dataclass(frozen=True)
class Sent:
    """A message of ours that a provider took. ``answer`` is how its answer was disturbed."""

    id: str
    phone: str
    api: str
    text: str
    at: float
    answer: str
    buttons: tuple[str, ...]


class Ledger:
    """Everything so far; ``arrived`` rings whenever there is more."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._read = 0
        self.came: dict[str, Came] = {}
        self.sent: list[Sent] = []
        self.heard: dict[str, list[Sent]] = {}
        self.opted_out: set[str] = set()
        self.erased: set[str] = set()
        self.acts: Counter[str] = Counter()
        self.waiting: dict[str, int] = {}
        self.fallen: dict[str, int] = {}
        self.arrived = asyncio.Condition()
        self.traffic = asyncio.Event()

    async def follow(self) -> None:
        """Read on until cancelled."""
        while True:
            await self.look(POLL_SECONDS)

    async def look(self, timeout: float = 0) -> None:  # noqa: ASYNC109 - the long poll's
        """Read what is new."""
        path = f"/control/books?after={self._read}&timeout={timeout}"
        found = await get(self._simulator.client, path)
        self.waiting, self.fallen = found["waiting"], found["fallen"]
        for entry in found["entries"]:
            self._read = max(self._read, entry["n"])
            self._take(entry)
        if found["entries"]:
            self.traffic.set()
            async with self.arrived:
                self.arrived.notify_all()

    def _take(self, entry: dict[str, Any]) -> None:
        match entry["what"]:
            case "came":
                names = ("id", "phone", "channel", "kind", "text", "files", "at")
                one = Came(**{name: entry[name] for name in names})
                self.came[one.id] = one
                if one.kind == "stop":
                    self.opted_out.add(one.phone)
            case "tried" if entry["id"] in self.came:
                self.came[entry["id"]].tries.append(entry["status"])
            case "confirmed":
                for name in entry["ids"]:
                    self.came[name].confirmed = True
            case "accepted":
                self.acts[entry["method"]] += 1
                if entry["method"] in SENDING:
                    self._sent(entry)
            case "erased":
                self.erased.add(entry["id"])
            case _:
                pass

    def _sent(self, entry: dict[str, Any]) -> None:
        buttons = tuple(button["text"] for row in entry["buttons"] for button in row)
        names = ("id", "phone", "api", "text", "at", "answer")
        one = Sent(**{name: entry[name] for name in names}, buttons=buttons)
        self.sent.append(one)
        self.heard.setdefault(one.phone, []).append(one)
