"""The pages for everybody: true to settings and rules, and nobody's trace."""

import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from bot.app import create
from bot.assembly.office import make_texts
from bot.console.signing.factor import qr
from bot.console.visit import COOKIE
from bot.front import kept
from bot.front.front import OURS, PAGES, STYLE, Front
from bot.front.texts import FrontTexts
from bot.front.ways import NO_PHONE
from bot.settings import loading
from handlers.errors import RulesInvalid
from handlers.rules.rulebook import Rulebook
from handlers.texts import TextMissing, holes
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.people import cookies
from storage.words import Channel
from tests.support.doors import SMS_NUMBER, WHATSAPP_NUMBER, environment
from tests.support.fronts import BOT, PLACE, SMS, TOKEN, TWILIO, WHATSAPP, front
from tests.support.places import ROOT
from tests.support.running import found


class Read(HTMLParser):
    """The words of a page, and where it leads."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(page.decode())
        self.text = " ".join(" ".join(self.words).split())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(made: Front, path: str = "/", language: str = "id") -> Read:
    return Read(made.page(path, language))


@pytest.mark.parametrize(
    ("environ", "channels"),
    [
        ({}, set()),
        (TOKEN, {Channel.TELEGRAM}),
        (TWILIO | SMS, {Channel.SMS}),
        (TWILIO | WHATSAPP, {Channel.WHATSAPP}),
        (TOKEN | TWILIO | SMS | WHATSAPP, set(Channel) - {Channel.CANARY}),
    ],
    ids=["none", "telegram", "sms", "whatsapp", "all"],
)
@pytest.mark.parametrize("path", PAGES)
def test_it_names_the_ways_that_are_set_up_and_no_other(environ, channels, path):
    said = read(front(**environ), path)
    known = {
        Channel.TELEGRAM: "@lapor_bot",
        Channel.SMS: SMS_NUMBER,
        Channel.WHATSAPP: WHATSAPP_NUMBER,
    }
    assert {one for one, shown in known.items() if shown in said.text} == channels
    if path == "/":
        opened = {one for one in said.links if re.match("https://(t|wa).me/|sms:", one)}
        assert len(opened) == len(channels)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", OURS)
def test_one_way_never_needs_a_phone(path, language):
    bare = read(front(AGENCY__NAME="Inspektorat Jambi"), path, language)
    whole = read(front(**PLACE), path, language)
    named = FrontTexts(language, {}).say(f"way.{NO_PHONE}")
    assert named in bare.text
    assert "Inspektorat Jambi" in bare.text
    assert all(line in whole.text for line in PLACE.values())


def test_the_leaflet_can_be_read_by_a_camera_and_by_a_person():
    made = front(**TOKEN, **TWILIO, **SMS, **WHATSAPP)
    page = made.page("/poster", "id").decode()
    for code in (
        BOT,
        f"https://wa.me/{WHATSAPP_NUMBER[1:]}",
        f"SMSTO:{SMS_NUMBER}:LAPOR ",
        "https://lapor.example.go.id",
    ):
        assert qr(code) in page, code
    said = read(made, "/poster").text
    assert "SMS: LAPOR + cerita" in said
    assert "lapor.example.go.id" in said
    assert "SMS: REPORT + your story" in read(made, "/poster", "en").text


def test_an_unknown_bot_is_no_dead_link():
    made = front("", **TOKEN)
    said = read(made)
    assert "Muat ulang" in said.text
    assert "" not in said.links
    assert BOT not in made.page("/poster", "id").decode()


@pytest.mark.parametrize("language", OURS)
@pytest.mark.parametrize("path", PAGES)
def test_no_hole_is_left_open(language, path):
    said = read(front(**TOKEN, **TWILIO, **SMS, **PLACE), path, language).text
    assert re.findall(r"\([a-z_]+\)", said) in ([], ["(torproject.org)"])
    assert "{" not in said


def test_both_languages_say_the_same():
    first, second = (FrontTexts(language, {}) for language in OURS)
    assert first.msgids() == second.msgids()
    for msgid in first.msgids():
        assert holes(first.say(msgid)) == holes(second.say(msgid))


def test_every_text_is_on_a_page():
    sources = [*(files("bot.front") / "templates").iterdir()]
    text = " ".join(source.read_text("utf-8") for source in sources)
    said = set(re.findall(r'say\("([\w.-]+)"[,)]', text)) | {"language"}
    heads = {"kept.", "way.", "safe.", "poster."}
    left = FrontTexts("id", {}).msgids() - said
    assert [
        one for one in left if not any(one.startswith(head) for head in heads)
    ] == []


def test_it_says_how_long_everything_is_kept_as_the_rules_say():
    lifetimes = Rulebook.load().lifetimes
    named = {*kept.TOUCHING, *kept.UNTOLD}
    assert {name for name, rule in lifetimes.rules.items() if not rule.erases} == named
    said = read(front(RETENTION__BACKUP_DAYS="17"), language="en").text
    for line in (
        "A report that was not sent 24 hours after the last message",
        "1 year after the report was closed or merged",
        "90 days after the report was rejected",
        "30 days after the report was closed, merged, rejected, or withdrawn",
        "1 year after the report was deleted",
        "for 17 days at most",
    ):
        assert line in said, line


def test_an_agency_s_own_lifetimes_are_said(tmp_path: Path):
    ours = (ROOT / "handlers/rules/id/retention.toml").read_text()
    head, mark, tail = ours.partition("[rule.identities]")
    changed = tail.replace("length = 1\n", "length = 7\n", 1)
    (tmp_path / "retention.toml").write_text(head + mark + changed)
    said = read(front(AGENCY__RULES=str(tmp_path))).text
    assert "Siapa yang melapor * 7 tahun sesudah laporan selesai atau digabung" in said
    assert "Siapa yang melapor * 1 tahun" in read(front()).text.replace("\xa0", " ")


def test_a_page_is_made_once_until_the_bot_is_known():
    name = [""]
    made = front(**TOKEN)
    made.bot_url = lambda: name[0]
    first = made.page("/", "id")
    assert made.page("/", "id") is first
    name[0] = BOT
    second = made.page("/", "id")
    assert second is made.page("/", "id")
    assert (BOT in first.decode(), BOT in second.decode()) == (False, True)


@pytest.mark.parametrize(
    ("spoken", "asked", "accepted", "language"),
    [
        ("id,en", "", "", "id"),
        ("en,id", "", "", "en"),
        ("id,en", "en", "id", "en"),
        ("id,en", "", "en-US,id;q=0.5", "en"),
        ("id,en", "", "fr", "id"),
        ("id,en", "fr", "en", "id"),
        ("id", "en", "en", "id"),
    ],
)
def test_it_speaks_the_language_that_is_wanted(spoken, asked, accepted, language):
    assert front(AGENCY__LANGUAGES=spoken).language(asked or accepted) == language


def test_a_language_is_chosen_by_a_link_alone():
    links = read(front()).links
    assert {"/?language=id", "/?language=en"} <= set(links)
    assert "/poster?language=en" in read(front(), "/poster").links
    alone = read(front(AGENCY__LANGUAGES="id")).links
    assert not any("language=en" in link for link in alone)


def own(folder: Path, language: str, text: str) -> Front:
    """Return the pages of an agency that speaks Javanese too, and wrote this for them."""
    for spoken, name, words in (
        ("jv", "messages.po", 'msgid "X"\nmsgstr "Y"\n'),
        (language, "front.po", text),
    ):
        place = folder / "locales" / spoken
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(words)
    return front(AGENCY__RULES=str(folder), AGENCY__LANGUAGES="jv,id")


def test_an_agency_says_it_in_its_own_words(tmp_path: Path):
    made = own(tmp_path, "id", 'msgid "title"\nmsgstr "Sini {agency}"\n')
    assert "Sini Inspektorat" in read(made).text
    assert "Cara melapor" in read(made).text
    assert list(made.texts) == ["id"]


def test_a_language_that_is_half_written_is_refused(tmp_path: Path):
    with pytest.raises(TextMissing, match=r"jv front.po \w+"):
        own(tmp_path, "jv", 'msgid "title"\nmsgstr "Lapor"\n')
    with pytest.raises(RulesInvalid, match=r"locales/jv/front\.po"):
        own(tmp_path, "jv", 'msgid "title"\nmsgstr "{0}"\n')


def test_a_language_of_the_agency_s_own_has_its_page(tmp_path: Path):
    ours = files("bot.front").joinpath("locales", "id", "front.po").read_text("utf-8")
    made = own(tmp_path, "jv", ours.replace("Cara melapor", "Carane lapor"))
    assert list(made.texts) == ["jv", "id"]
    assert "Carane lapor" in read(made, language=made.language("")).text


LINKS = [
    ({}, "lapor.go.id / Ombudsman 137"),
    ({"SERVER__PUBLIC_URL": "https://a.go.id"}, "https://a.go.id"),
    ({"AGENCY__INFO_URL": "https://b.go.id/x"}, "https://b.go.id/x"),
    (
        {
            "AGENCY__INFO_URL": "https://b.go.id/x",
            "SERVER__PUBLIC_URL": "https://a.go.id",
        },
        "https://b.go.id/x",
    ),
]


@pytest.mark.parametrize(("environ", "link"), LINKS)
def test_the_link_of_the_conversation_leads_here(environ, link):
    given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
    texts = make_texts(loading.load(None, given))
    said = texts.say("X08", language="id", channel=Channel.SMS)
    assert said.endswith(f"Cara lain: {link}")


def test_no_text_sends_anybody_to_a_form_that_is_not_there():
    """Until there is a way to report on the web, none is named."""
    promised = re.compile(
        r"\bweb\b|formulir|\bsitus\b|lapor(?:kan)? daring|report online", re.IGNORECASE
    )
    for language in OURS:
        texts = make_texts(loading.load(None, {}))
        known = [text for _, _, text in texts.known(language)]
        pages = FrontTexts(language, {})
        known += [pages.say(msgid) for msgid in pages.msgids()]
        assert [text for text in known if promised.search(text)] == []


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    keys, url = ServerKeys.new(), f"sqlite:///{tmp_path / 'k.db'}"
    database = Database(url)
    found(database, keys)
    database.close()
    return environment(url, keys, tmp_path)


async def test_it_costs_nothing_and_leaves_no_trace(environ: dict[str, str]):
    """The store may be away: whoever only reads is asked for nothing and told nothing."""
    app = create(loading.load(None, environ), environ=environ)
    app.state.house.hashing.shutdown()
    app.state.house.database.close()
    (Path(environ["KENTONGAN_FILES__PATH"]) / "k.db").unlink()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://any.example"
    ) as client:
        for path in (*PAGES, STYLE):
            plain = await client.get(path)
            signed = {"Cookie": f"{COOKIE}={cookies.new()}"}
            again = await client.get(path, headers=signed)
            assert (plain.status_code, again.content) == (200, plain.content)
            for answer in (plain, again):
                assert "set-cookie" not in answer.headers
                assert answer.headers["cache-control"] == "no-store"
                policy = answer.headers["content-security-policy"]
                assert policy.startswith("default-src 'none'; style-src 'self'")
                assert "script" not in policy + plain.text
                assert answer.headers["x-frame-options"] == "DENY"
                assert answer.headers["referrer-policy"] == "no-referrer"
            assert (await client.post(path)).status_code == 405
            assert (await client.head(path)).status_code == 200
    assert not (Path(environ["KENTONGAN_FILES__PATH"]) / "k.db").exists()
