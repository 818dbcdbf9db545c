"""HTML of the page and its phones: every text escaped, usable without a script."""

from html import escape

from bot.simulator.page.thread import Thread
from bot.simulator.page.wording import LANGUAGES, WORDS
from bot.simulator.phones import Phone
from bot.simulator.rules.authenticator import Authenticator
from bot.simulator.world import Settings


class Markup:
    """The pieces of the page in one language."""

    def __init__(
        self, settings: Settings, language: str, authenticator: Authenticator
    ) -> None:
        self.settings = settings
        self.authenticator = authenticator
        self.language = language
        self.words = WORDS[language]
        self.thread = Thread(language)

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
<ol class="lines" data-version="{phone.version}">{self.thread.lines(phone)}</ol>
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
