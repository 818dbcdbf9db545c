import re
from pathlib import Path

import pytest

from tests.support.places import ROOT


def test_what_we_ship_is_sound(empty):
    said = empty("check")
    assert said.code == 0, said
    assert "are sound" in said.out


TOKEN = "1234567:token-of-the-bot-token-of-the-bot"


def test_a_link_that_leads_nowhere_is_named(empty):
    """Consent rests on it: whoever may report must be able to read first."""
    assert "leads nowhere" in empty("check").out
    said = empty("check", TELEGRAM__TOKEN=TOKEN)
    assert said.code == 1
    assert "leads nowhere: set server.public_url" in said.out
    for name in ("SERVER__PUBLIC_URL", "AGENCY__INFO_URL"):
        told = empty("check", TELEGRAM__TOKEN=TOKEN, **{name: "https://lapor.go.id"})
        assert (told.code, "leads nowhere" in told.out) == (0, False)


def test_the_values_of_the_documentation_are_sound(empty):
    """The address of config.example.toml, and a name as long as names of inspectorates are."""
    example = (ROOT / "config.example.toml").read_text()
    (address,) = re.findall(r'^# "(https://[^"]+)"', example, re.MULTILINE)
    assert len(address) == 27
    name = "Inspektorat Kabupaten Hulu Sungai Tengah Baru"
    said = empty("check", SERVER__PUBLIC_URL=address, AGENCY__NAME=name)
    assert (said.code, len(name)) == (0, 45), said


def test_a_setting_that_breaks_an_sms_is_named(empty):
    said = empty("check", AGENCY__NAME="Inspektorat Daerah " + "x" * 41)
    assert said.code == 1
    assert re.search(
        r"^id sms Q01: 1\d\d places.+agency.name has 60", said.out, re.MULTILINE
    )


def test_an_agency_s_own_texts_are_read(empty):
    place = Path("rules/locales/id")
    place.mkdir(parents=True)
    Path("config.toml").write_text('[agency]\nrules = "rules"\n')
    text = 'msgctxt "sms"\nmsgid "Q01"\nmsgstr "{}"\n'
    (place / "messages.po").write_text(text.format("Selamat datang, balas LAPOR."))
    assert "Selamat datang" in empty("chat", stdin="halo\n").out
    (place / "messages.po").write_text(text.format("{0}"))
    assert "locales/id/messages.po: sms Q01" in empty.refused("check")
    (place / "messages.po").unlink()
    (place / "front.po").write_text('msgid "title"\nmsgstr "{0}"\n')
    assert "locales/id/front.po: both title" in empty.refused("check")


def own_rules(name, text):
    Path("rules").mkdir()
    (Path("rules") / name).write_text(text)
    Path("config.toml").write_text('[agency]\nrules = "rules"\n')


def test_every_problem_of_own_questions_is_named(empty):
    ours = ROOT / "handlers/rules/id/questionnaire.toml"
    text = ours.read_text()
    (first, *_) = re.findall(r'^code = "(Q[0-9A-Z]+)"', text, re.MULTILINE)
    own_rules("questionnaire.toml", text.replace(f'"{first}"', '"ZZ99"'))
    said = empty("check")
    assert said.code == 1
    assert "ZZ99" in said.out + said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", ["workflow.toml", "deadlines.toml", "reasons.toml"])
def test_rules_that_are_no_rules_are_refused(empty, name):
    own_rules(name, "this is not TOML")
    assert name in empty.refused("check")


def test_settings_are_part_of_it(empty):
    assert "XYZ" in empty.refused("check", XYZ="1")


def test_a_report_is_told_at_the_terminal(empty):
    said = empty(
        "chat",
        stdin="LAPOR Uang proyek jalan desa hilang\nSTATUS\n",
        LOGS__LEVEL="error",
    )
    assert said.code == 0, said
    assert re.search(r"Nomor [0-9A-Z]{4}-[0-9A-Z]{4} Kode [0-9-]{19}", said.out)
    assert "Uang proyek" not in said.out
    assert sorted(path.name for path in Path().iterdir()) == ["recovery.public"]


def test_a_receipt_opens_its_report_again(empty, monkeypatch):
    told: list[str] = []

    def answers():
        yield "LAPOR Uang proyek jalan desa hilang"
        (receipt,) = re.findall(r"Nomor (\S+) Kode (\S+)", "\n".join(told))
        yield f"STATUS {' '.join(receipt)}"

    monkeypatch.setattr("bot.commands.chat._lines", answers)
    monkeypatch.setattr("bot.commands.chat.typer.echo", told.append)
    assert empty("chat").code == 0
    assert "cocok" in told[-1]


def test_a_chat_channel_numbers_its_choices(empty):
    said = empty("chat", "--channel", "telegram", stdin="/start\n")
    assert re.search(r"^1\. ", said.out, re.MULTILINE)
