"""HTML of one phone's thread: its messages, their files, notes and buttons."""

import re
from datetime import timedelta, timezone
from html import escape
from typing import Any

from bot.simulator.clock import moment
from bot.simulator.page.wording import STARTERS, WORDS
from bot.simulator.phones import Line, Phone

WIB = timezone(timedelta(hours=7))
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
KILO = 1024
SUCCESS = 2


class Thread:
    """The messages of a phone in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.words = WORDS[language]

    def lines(self, phone: Phone) -> str:
        """Give the thread as list items; an empty one offers a beginning.

        A message that was deleted for both sides leaves nothing behind, as in Telegram.
        """
        stands = [line for line in phone.lines if not line.deleted]
        if not stands:
            return self._starters(phone)
        return "".join(self._line(phone, line) for line in stands)

    def _starters(self, phone: Phone) -> str:
        offers = STARTERS[self.language].get(phone.name, ())
        if phone.name == "officer":
            text = escape(self.words["officer_empty"])
            return f'<li class="offers" id="officer-0"><p>{text}</p></li>'
        if not offers:
            return ""
        forms = "".join(
            self._form(
                phone,
                "send",
                {"text": offer},
                f'<button class="chip">{escape(offer)}</button>',
            )
            for offer in offers
        )
        return f'<li class="offers" id="{escape(phone.name)}-0"><p>{escape(self.words["empty"])}</p>{forms}</li>'

    def _line(self, phone: Phone, line: Line) -> str:
        words, identity = self.words, f"{escape(phone.name)}-{line.number}"
        clock = moment(line.at).astimezone(WIB)
        time = f'<time datetime="{clock.isoformat()}">{clock:%H:%M}</time>'
        if line.kind == "press":
            label = escape(words["pressed"].format(label=line.text))
            toast = f" · {escape(line.toast)}" if line.toast else ""
            return f'<li class="event" id="{identity}">{label}{toast}</li>'
        who = words["you"] if line.sender == "person" else words["them"]
        text = self._text(phone, line.text)
        body = f'<p class="text" dir="auto">{text}</p>' if line.text else ""
        notes = " · ".join(escape(note) for note in self._notes(line))
        return (
            f'<li class="line {line.direction} {line.sender}" id="{identity}">'
            f'<div class="bubble"><span class="who">{escape(who)}: </span>'
            f"{''.join(self._media(part) for part in line.media)}{self._special(line)}{body}"
            f'<p class="meta">{notes}{" · " if notes else ""}{time}{self._tick(line)}</p></div>'
            f"{self._buttons(phone, line)}</li>"
        )

    def _notes(self, line: Line) -> list[str]:
        notes = [self.words["automatic"]] if line.sender == "provider" else []
        notes += [f"{line.segments} SMS"] if line.segments > 1 else []
        notes += [self.words["edited"]] if line.edited else []
        report = line.webhook or {}
        if report and not _taken(report):
            problem = report.get("problem") or f"HTTP {report['status']}"
            notes.append(self.words["refused"].format(problem=problem))
        return notes

    def _tick(self, line: Line) -> str:
        if not line.webhook or not _taken(line.webhook):
            return ""
        label = escape(self.words["taken"])
        return f' <span class="tick" role="img" aria-label="{label}">✓✓</span>'

    def _special(self, line: Line) -> str:
        icons = {"location": "⌖", "contact": "☺"}
        if line.kind not in icons:
            return ""
        return f'<p class="file"><span aria-hidden="true">{icons[line.kind]}</span> {line.kind}</p>'

    def _media(self, part: dict[str, Any]) -> str:
        size = part["size"] / KILO
        shown = f"{size:.0f} kB" if size < KILO else f"{size / KILO:.1f} MB"
        return (
            '<p class="file"><span aria-hidden="true">▤</span> '
            f"{escape(part['name'])} <small>{escape(part['type'])}, {shown}</small></p>"
        )

    def _text(self, phone: Phone, text: str) -> str:
        """Escape a text, make its addresses clickable and deep links open here."""
        pieces: list[str] = []
        end = 0
        for found in LINK.finditer(text):
            pieces.append(escape(text[end : found.start()]))
            pieces.append(self._link(phone, found.group()))
            end = found.end()
        pieces.append(escape(text[end:]))
        return "".join(pieces).encode("utf-8", "replace").decode()

    def _link(self, phone: Phone, url: str) -> str:
        shown = escape(url)
        if url.startswith("https://t.me/") and phone.channel == "telegram":
            return (
                f'<button class="link" form="open-{escape(phone.name)}" name="link" '
                f'value="{shown}">{shown}</button>'
            )
        return (
            f'<a href="{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'
        )

    def _buttons(self, phone: Phone, line: Line) -> str:
        rows = "".join(
            f'<div class="row">{"".join(self._button(phone, line, b) for b in row)}</div>'
            for row in line.buttons
        )
        return f'<div class="buttons">{rows}</div>' if rows else ""

    def _button(self, phone: Phone, line: Line, button: dict[str, str]) -> str:
        label = escape(button["text"])
        url = button.get("url", "")
        if url.startswith(("http://", "https://")) and not url.startswith(
            "https://t.me/"
        ):
            return f'<a class="key" href="{escape(url)}" target="_blank" rel="noopener noreferrer">{label} ↗</a>'
        given = {"message_id": str(line.message_id), "label": button["text"]}
        if button.get("data"):
            given["data"] = button["data"]
        copy = f' data-copy="{escape(button["copy"])}"' if button.get("copy") else ""
        return self._form(
            phone, "press", given, f'<button class="key"{copy}>{label}</button>'
        )

    def _form(self, phone: Phone, act: str, given: dict[str, str], inner: str) -> str:
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in ({"lang": self.language} | given).items()
        )
        return f'<form method="post" action="/phones/{escape(phone.name)}/{act}">{hidden}{inner}</form>'


def _taken(report: dict[str, Any]) -> bool:
    """Tell whether the bot answered a webhook with success."""
    return report.get("status", 0) // 100 == SUCCESS and not report.get("problem")
