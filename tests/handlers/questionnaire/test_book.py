"""The questionnaire that we ship is proved, and a broken one is refused or found out."""

import re
from importlib.resources import files

import pytest

from handlers.errors import RulesInvalid
from handlers.questionnaire import proofs
from handlers.questionnaire.book import Questionnaire, StepKind, check, load
from handlers.texts import Texts
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


def test_a_long_agency_name_is_found_before_a_reporter_gets_half_a_message():
    long = Texts(
        ["id", "en"], {"agency": "Inspektorat " + "Kabupaten " * 5, "link": "a.id"}
    )
    assert any("one SMS has 160" in line for line in check(book(), long))
    accent = Texts(["id", "en"], {"agency": "Ĩnspektorat", "link": "a.id"})
    assert "id sms Q01: a letter is not in GSM-7" in check(book(), accent)


@pytest.mark.parametrize(
    ("language", "variant", "msgid", "text", "told"),
    [
        ("en", "both", "X02", "Tries left.", "en both X02: other holes than in id"),
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
