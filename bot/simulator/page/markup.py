"""HTML of the page: server-rendered, every text escaped, usable without a script."""

import re
from datetime import timedelta, timezone
from html import escape
from typing import Any

from bot.simulator.clock import moment
from bot.simulator.page.wording import LANGUAGES, STARTERS, WORDS
from bot.simulator.phones import Line, Phone
from bot.simulator.rules.authenticator import Authenticator
from bot.simulator.world import Settings

WIB = timezone(timedelta(hours=7))
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
KILO = 1024
SUCCESS = 2


class Markup:
    """The pieces of the page in one language."""

    def __init__(
        self, settings: Settings, language: str, authenticator: Authenticator
    ) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.language = language
        self.words = WORDS[language]

    def page(self, phones: list[Phone], problem: str = "") -> str:
        """Give the whole page."""
        words = self.words
        steps = "".join(f"<li>{escape(words[f'step{n}'])}</li>" for n in range(1, 6))
        frames = "".join(self.phone(phone) for phone in phones if not phone.group)
        notice = escape(f"{words['problem']}: {problem}") if problem else ""
        return f"""<!doctype html>
<html lang="{self.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(words["title"])}</title>
<link rel="stylesheet" href="/static/phones.css">
<link rel="icon" href="/static/drum.svg" type="image/svg+xml">
<noscript><meta http-equiv="refresh" content="15"></noscript>
<script src="/static/phones.js" defer></script>
</head>
<body data-offline="{escape(words["offline"])}">
<header class="top">
<img class="drum" src="/static/drum.svg" alt="" width="36" height="36">
<div class="brand"><h1>Kentongan</h1><p>{escape(words["lead"])}</p></div>
<nav aria-label="{escape(words["language"])}">{self._languages()}</nav>
{self._console()}
</header>
<p class="notice" role="alert" id="notice">{notice}</p>
<section class="steps" aria-labelledby="steps">
<h2 id="steps">{escape(words["steps"])}</h2><ol>{steps}</ol>
</section>
{self._authenticator()}
<main class="phones">{frames}</main>
</body>
</html>
"""

    def codes(self) -> str:
        """Give the officers' codes of this moment."""
        return self.authenticator.markup(self.words)

    def _authenticator(self) -> str:
        title = escape(self.words["codes"])
        head = f'<section class="codes" aria-labelledby="codes"><h2 id="codes">{title}</h2>'
        codes = self.codes()
        return f'{head}<div id="code-list">{codes}</div></section>' if codes else ""

    def _languages(self) -> str:
        names = {"id": "Indonesia", "en": "English"}
        current = {self.language: ' aria-current="true"'}
        return "".join(
            f'<a href="/?lang={code}" lang="{code}" hreflang="{code}"'
            f"{current.get(code, '')}>{names[code]}</a>"
            for code in LANGUAGES
        )

    def _console(self) -> str:
        url = self.settings.console_url
        if not url.startswith(("http://", "https://")):
            return ""
        label = escape(self.words["console"])
        return f'<a class="console" href="{escape(url)}" target="_blank" rel="noopener">{label}</a>'

    def phone(self, phone: Phone) -> str:
        """Give one phone: its head, its thread, its box to type in."""
        title = escape(self.words.get(phone.name, self.words["other"]))
        name, skin = escape(phone.name), self._skin(phone)
        label = escape(self.words["thread"].format(phone=phone.title))
        return f"""
<section class="phone {skin}" id="phone-{name}" data-phone="{name}" aria-labelledby="name-{name}">
<h2 id="name-{name}">{title}</h2>
<div class="frame"><div class="screen">
<div class="bar"><span class="face" aria-hidden="true">{self._face(phone)}</span>
<p><strong>{escape(self._peer(phone))}</strong><small>{escape(self._peer_detail(phone))}</small></p></div>
<div class="thread" role="log" tabindex="0" aria-label="{label}"><div class="inside">
<ol class="lines" data-version="{phone.version}">{self.lines(phone)}</ol>
</div></div>
{self._opener(phone)}
{self._composer(phone)}
</div></div>
<p class="owner">{escape(phone.title)} · {escape(phone.address)}</p>
</section>"""

    def _skin(self, phone: Phone) -> str:
        return "officer telegram" if phone.name == "officer" else phone.channel

    def _face(self, phone: Phone) -> str:
        return {"sms": "#", "whatsapp": "K", "telegram": "K"}[phone.channel]

    def _peer(self, phone: Phone) -> str:
        if phone.channel == "sms":
            return self.settings.sms_number
        return self.settings.bot_name

    def _peer_detail(self, phone: Phone) -> str:
        if phone.channel == "telegram":
            return f"@{self.settings.bot_username} · {self.words['bot']}"
        if phone.channel == "whatsapp":
            return self.settings.whatsapp_number
        return self.words["agency"]

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

    def _composer(self, phone: Phone) -> str:
        words, name = self.words, escape(phone.name)
        attach = (
            ""
            if phone.channel == "sms"
            else (
                f'<label class="attach"><span class="hidden">{escape(words["attach"])}</span>'
                f'<span aria-hidden="true" class="clip">+</span>'
                f'<input type="file" name="file" multiple></label>'
            )
        )
        label = escape(words["message"].format(phone=phone.title))
        return f"""<form class="composer" method="post" enctype="multipart/form-data" action="/phones/{name}/send">
<input type="hidden" name="lang" value="{self.language}">
{attach}<label class="hidden" for="text-{name}">{label}</label>
<textarea id="text-{name}" name="text" rows="1" placeholder="{escape(words["placeholder"])}" autocomplete="off"></textarea>
<button class="send" aria-label="{escape(words["send"])}"><span aria-hidden="true">➤</span></button>
<output class="chosen" for="text-{name}"></output>
</form>"""

    def _opener(self, phone: Phone) -> str:
        """Give the field for deep links; other Telegram phones keep it out of sight."""
        if phone.channel != "telegram":
            return ""
        name, label = escape(phone.name), escape(self.words["open"])
        form = (
            f'<form id="open-{name}" class="opener" method="post" action="/phones/{name}/open">'
            f'<input type="hidden" name="lang" value="{self.language}">'
        )
        if phone.name != "officer":
            return f"{form}</form>"
        return (
            f'{form}<label class="hidden" for="link-{name}">{label}</label>'
            f'<input id="link-{name}" name="link" type="text" inputmode="url" placeholder="{label}" autocomplete="off">'
            f"<button>{escape(self.words['open_button'])}</button></form>"
        )


def _taken(report: dict[str, Any]) -> bool:
    """Tell whether the bot answered a webhook with success."""
    return report.get("status", 0) // 100 == SUCCESS and not report.get("problem")
