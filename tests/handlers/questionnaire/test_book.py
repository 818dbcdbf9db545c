"""The questionnaire that we ship is proved, and a broken one is refused or found out."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from handlers.errors import RulesInvalid
from handlers.questionnaire import proofs
from handlers.questionnaire.book import Questionnaire, StepKind, check, load
from handlers.texts import Texts
from storage.words import Channel
from tests.support.places import ROOT
from tests.support.talking import book, texts

SHIPPED = (
    files("handlers").joinpath("rules", "id", "questionnaire.toml").read_text("utf-8")
)


def changed(tmp_path, *swaps: tuple[str, str]) -> Questionnaire:
    text = SHIPPED
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    path = tmp_path / "questionnaire.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_what_we_ship_holds():
    assert check(book(), texts()) == []


def test_every_text_that_the_code_says_is_proved():
    said = set()
    for source in (ROOT / "handlers").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        said |= set(re.findall(r'Reply\(\s*"([^"]+)"', text))
        said |= set(re.findall(r'text="([A-Z]+\.[A-Z]+)"', text))
    codes = {step.code for step in book().steps}
    assert said
    assert said <= {*proofs.SPOKEN, *codes}


def test_the_order_of_the_questions():
    codes = [step.code for step in book().report]
    assert codes == [
        "Q02", "Q03", "Q04", "Q05", "Q05b", "Q06", "Q07", "Q08", "Q09", "Q10", "Q11", "Q12",
        "Q13", "Q14", "Q15", "Q16", "Q17", "Q18", "Q21", "Q19",
    ]  # fmt: skip
    assert [step.code for step in book().parts if step.counted] == [
        "Q07", "Q08", "Q10", "Q11", "Q12", "Q13", "Q14", "Q15",
    ]  # fmt: skip
    assert book().story.code == "Q10"
    assert book().review.kind is StepKind.CONFIRM
    assert book().step("Q77") is None
    assert book().named("nobody") is None


@pytest.mark.parametrize(
    ("anonymity", "code"), [("ANON", "Q06"), ("CONF", "Q05b"), ("", "Q06")]
)
def test_the_name_is_asked_only_of_those_who_give_it(anonymity, code):
    assert book().following("Q05", {"Q05": anonymity} if anonymity else {}).code == code
    assert book().following("Q19", {}).code == "Q19"
    assert book().following("Q22", {}).code == "Q02"


def test_when_joins_keys_by_and_and_lists_by_or(tmp_path):
    other = changed(
        tmp_path,
        (
            'name = "where"\n',
            'name = "where"\nwhen = { position = ["KDH", "JPT"], anonymity = { not = ["ANON"] } }\n',
        ),
    )
    step = other.by_code["Q11"]
    assert step.applies({"Q09": "KDH", "Q05": "OPEN"})
    assert step.applies({"Q09": "JPT"})
    assert not step.applies({"Q09": "KDH", "Q05": "ANON"})
    assert not step.applies({"Q05": "OPEN"})
    assert check(other, texts()) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "money"', 'kind = "coins"', "coins"),
        ('name = "who"\n', 'name = "who"\ncolour = "red"\n', "colour"),
        ('options = ["NOTYET", "SKIP"]', 'options = ["PERHAPS"]', "PERHAPS"),
        ("{ anonymity = [", "{ mood = [", "mood"),
        ('code = "Q08"', 'code = "Q07"', "twice"),
        ("required = true\n", "", "required"),
        ('kind = "confirm"', 'kind = "choice"', "confirm"),
        ("[taken]", "[taken", "questionnaire.toml"),
        ('kind = "money"\n', "", "kind"),
        ('languages = ["id", "en"]', "", "languages"),
        ('options = ["NOTYET", "SKIP"]', "options = 3", "Q17"),
        ("part = 12", 'part = "twelve"', "Q17"),
        ('code = "SAW"', 'code = "S.A"', "point"),
        ('code = "Q29"', 'code = "Q29x"', "Q29"),
        ('anonymity = ["CONF", "OPEN"]', "anonymity = 3", "Q05b"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, old, new, told):
    with pytest.raises(RulesInvalid, match=told):
        changed(tmp_path, (old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'anonymity = ["CONF", "OPEN"]',
            'anonymity = ["NOBODY"]',
            "Q05b: no answers lead",
        ),
        ('anonymity = ["CONF", "OPEN"]', 'fear = ["NO"]', "Q05b: `when` asks about"),
        ('code = "Q13"', 'code = "Q13x"', "id sms Q13x: the text is missing"),
        (
            'label = "Q05.ANON"',
            'label = "Q05.WHO"',
            "id button Q05.WHO: the text is missing",
        ),
        ('"ANONIM", ', "", "id Q05 'Anonim': typed, it means nothing"),
        ('"TERBUKA"', '"TERBUKA", "RAHASIA"', "typed, it means ['CONF', 'OPEN']"),
        ('"START", "UNSTOP"', '"KIRIM", "LAPOR"', "twilio takes LAPOR"),
        ("COR-09", "COR-" + "9" * 60, "Q06: the data of Q06.1 is longer than 64 bytes"),
        ('ends = "X08"', 'ends = "X99"', "en chat X99: the text is missing"),
    ],
)
def test_a_weak_place_is_found(tmp_path, old, new, told):
    found = check(changed(tmp_path, (old, new)), texts())
    assert any(told in line for line in found), found


def test_a_step_that_only_an_unreachable_one_leads_to_is_found(tmp_path):
    other = changed(
        tmp_path,
        ('name = "position"\n', 'name = "position"\nwhen = { category = ["NEVER"] }\n'),
        ('name = "where"\n', 'name = "where"\nwhen = { position = ["KDH"] }\n'),
    )
    found = proofs.check(other, texts())
    assert "Q09: no answers lead to this step" in found
    assert "Q11: no answers lead to this step" in found


def filled(**sizes: int) -> Texts:
    """Return our texts with settings of so many letters, all others as long as may be."""
    room = {name: most for name, (_, most) in proofs.ROOM.items()}
    return Texts(["id", "en"], {name: "n" * n for name, n in (room | sizes).items()})


def test_our_texts_have_room_for_long_names_and_links():
    room = {name: most for name, (_, most) in proofs.ROOM.items()}
    assert (room["agency"], room["link"]) == (45, 40)
    assert check(book(), filled()) == []


@pytest.mark.parametrize("name", proofs.ROOM)
def test_a_longer_setting_is_named_with_each_text_that_it_breaks(name):
    setting, most = proofs.ROOM[name]
    found = check(book(), filled(**{name: most + 60}))
    assert any(re.match(r"(id|en) (sms|both) \w+: \d+ places", one) for one in found)
    blame = f"; {setting} has {most + 60} and may have {most}"
    assert [one for one in found if not one.endswith(blame)] == []


@pytest.mark.parametrize("name", proofs.ROOM)
def test_a_setting_whose_letters_no_sms_has_is_named_once(name):
    told = (
        f"{proofs.ROOM[name][0]} has a letter that is not in GSM-7, the alphabet of SMS"
    )
    accent = Texts(["id", "en"], {**texts().context, name: "Ĩ"})
    assert check(book(), accent) == [told]


def test_a_letter_of_a_text_that_no_sms_has_is_found(tmp_path):
    text = own(tmp_path, "id", ("sms", "Q01", "Halo \N{EN DASH} LAPOR, EN: {agency}"))
    assert "id sms Q01: a letter is not in GSM-7" in check(book(), text)


def own(folder: Path, language: str, *written: tuple[str, str, str]) -> Texts:
    """Return our texts with those over them that an agency wrote."""
    place = folder / "locales" / language
    place.mkdir(parents=True, exist_ok=True)
    (place / "messages.po").write_text(
        "\n".join(
            f'msgctxt "{variant}"\nmsgid "{msgid}"\nmsgstr "{text}"\n'
            for variant, msgid, text in written
        ),
        encoding="utf-8",
    )
    return Texts(["id", "en"], texts().context, folder)


def test_an_agency_s_own_text_stands_in_for_ours(tmp_path):
    told = own(tmp_path, "id", ("sms", "Q01", "Balas LAPOR ke {agency}."))
    said = [told.say("Q01", language=one, channel=Channel.SMS) for one in ("id", "en")]
    assert said[0] == "Balas LAPOR ke Inspektorat Jambi."
    assert said[1] == texts().say("Q01", language="en", channel=Channel.SMS)
    assert check(book(), told) == []


def test_a_question_that_an_agency_adds_brings_its_texts(tmp_path):
    other = changed(tmp_path, ('code = "Q13"', 'code = "Q13x"'))
    assert any("Q13x" in line for line in check(other, texts()))
    new = [(variant, "Q13x", "Apa?") for variant in ("sms", "chat")]
    new.append(("chat", "P.Q13x", "Apa"))
    own(tmp_path, "id", *new)
    told = own(tmp_path, "en", *new)
    assert [line for line in check(other, told) if "text" in line] == []


def test_a_text_that_nobody_says_is_found(tmp_path):
    own(tmp_path, "id", ("sms", "Q1O", "Apa?"))
    told = own(tmp_path, "en", ("sms", "Q1O", "Apa?"))
    assert "id sms Q1O: nobody says this text" in check(book(), told)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (("sms", "Q01", "Halo {0}"), "sms Q01: braces hold a plain name"),
        (("sms", "Q01", 'a"\nnonsense "b'), "line 4 is no gettext catalogue"),
        (("sms", "Q01", "\ud800"), "is no gettext catalogue"),
    ],
    ids=["a hole without a name", "no catalogue", "no UTF-8"],
)
def test_an_agency_s_broken_catalogue_is_named(tmp_path, written, line):
    place = tmp_path / "locales" / "id"
    place.mkdir(parents=True)
    text = 'msgctxt "{}"\nmsgid "{}"\nmsgstr "{}"\n'.format(*written)
    (place / "messages.po").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(RulesInvalid, match=f"locales/id/messages.po: {line}"):
        Texts(["id", "en"], {}, tmp_path)


def test_an_agency_may_bring_a_language_of_its_own(tmp_path):
    own(tmp_path, "jv", ("sms", "Q01", "Sugeng rawuh."))
    told = Texts(["id", "jv"], texts().context, tmp_path)
    assert told.say("Q01", language="jv", channel=Channel.SMS) == "Sugeng rawuh."
    assert "jv chat Q01: the text is missing" in check(book(), told)


@pytest.mark.parametrize(
    ("language", "variant", "msgid", "text", "told"),
    [
        ("en", "both", "X04", "No.", "en both X04: other holes than in id"),
        ("en", "both", "X99", "New.", "both X99: not in both id and en"),
        ("id", "sms", "Q10", "{who}?", "id sms Q10: nobody fills in ['who']"),
        ("id", "both", "X09", "Balas STOP.", "id both X09: twilio takes STOP"),
        ("en", "button", "SKIP", "Skip this question now", "longer than a button"),
        ("id", "both", "R03", "x" * 90, "id both S.REJECTED: "),
    ],
)
def test_a_weak_text_is_found(monkeypatch, language, variant, msgid, text, told):
    weak = Texts(["id", "en"], texts().context)
    planted = {**weak._texts[language], (variant, msgid): text}  # noqa: SLF001 - where a translator would err
    monkeypatch.setitem(weak._texts, language, planted)  # noqa: SLF001
    found = check(book(), weak)
    assert any(told in line for line in found), found
