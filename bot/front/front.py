"""``/``, where everybody reads what this is, and ``/poster``, which is printed and hung up.

``{link}`` in the conversation means the first one where the agency names no page of its
own. Both are made once for each language and then answered from memory, so they are no
way to make the server work; whoever asks leaves no trace here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.assembly.office import local_url
from bot.console.signing.factor import qr
from bot.front import kept
from bot.front.texts import FrontTexts
from bot.front.ways import ways
from bot.settings.sections import Settings
from handlers.office import Office
from handlers.rules.lifetimes import Unit
from handlers.texts import TextMissing

PAGES: Final = {"/": "front.html", "/poster": "poster.html"}
OURS: Final = ("id", "en")
STYLE: Final = "/front.css"
_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.front", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(slots=True)
class Front:
    """The pages of one house.

    ``bot_url`` returns the address of the Telegram bot, "" while nobody knows it.
    """

    settings: Settings
    office: Office
    bot_url: Callable[[], str]
    made: dict[tuple[str, str, str], bytes] = field(default_factory=dict, repr=False)
    texts: dict[str, FrontTexts] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Read the texts at start; raises TextMissing or RulesInvalid.

        A language of the agency's own that has no word for these pages has none here.
        """
        rules = self.settings.agency.rules
        folder = Path(rules) if rules else None
        context = self.office.texts.context
        wanted = FrontTexts(OURS[0], context).msgids()
        for language in (*self.office.languages, *OURS):
            spoken = FrontTexts(language, context, folder)
            known = spoken.msgids()
            if missing := wanted - known if known else ():
                raise TextMissing(f"{language} front.po {min(missing)}")
            if known and (language in self.office.languages or not self.texts):
                self.texts[language] = spoken

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the pages and of their style."""
        sheets = (("bot.console", "base.css"), ("bot.front", "front.css"))
        style = b"".join(
            files(package).joinpath("static", name).read_bytes()
            for package, name in sheets
        )

        async def styled(_: Request) -> Response:
            return Response(style, media_type="text/css")

        return [*(Route(path, self.answer) for path in PAGES), Route(STYLE, styled)]

    async def answer(self, request: Request) -> Response:
        """Answer from memory, in the language that the address or the browser asks for."""
        wanted = request.query_params.get("language")
        wanted = wanted or request.headers.get("accept-language", "")
        body = self.page(request.url.path, self.language(wanted))
        headers = {"Vary": "Accept-Language"}
        return Response(body, media_type="text/html", headers=headers)

    def language(self, wanted: str) -> str:
        """Return a language of the agency, the wanted one if it is one."""
        short = wanted[:2].lower()
        return short if short in self.texts else next(iter(self.texts))

    def page(self, path: str, language: str) -> bytes:
        """Return a page; it is made once, and once more when the bot's name is known."""
        bot_url = self.bot_url()
        name = (path, language, bot_url)
        if name not in self.made:
            self.made[name] = self._make(path, language, bot_url)
        return self.made[name]

    def _make(self, path: str, language: str, bot_url: str) -> bytes:
        texts = self.texts[language]
        agency = self.settings.agency
        backups = kept.length(self.office.backup_days, Unit.DAYS, language)
        text = _ENVIRONMENT.get_template(PAGES[path]).render(
            say=texts.say,
            language=language,
            languages={one: words.say("language") for one, words in self.texts.items()},
            path=path,
            agency=agency,
            address=self.settings.link or local_url(self.settings),
            ways=ways(self.settings, bot_url),
            lives=tuple(kept.lives(self.office.rulebook.lifetimes, texts)),
            backups=backups,
            qr=qr,
        )
        return text.encode("utf-8", "replace")
