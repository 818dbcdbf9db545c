"""What comes out of a reading: codes, whatever goes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.reading.lexicon import Lexicon
from handlers.reading.reading import Reading, read, stricter
from handlers.rules.rulebook import Rulebook
from storage.words import Track
from tests.support.effort import is_linear

LEXICON = Lexicon.load()
BOOK = Rulebook.load()
WORDS = sorted(LEXICON.speller.known)

SUBJECTS = {
    "bribe": ("kontraktor menyuap kadis", "COR-02", Track.TPK),
    "levy": ("petugas minta uang 50 ribu", "COR-09", Track.TPK),
    "tender": ("pemenang tender sudah ditentukan", "PRC-02", Track.TPK),
    "post": ("jual beli jabatan kepala dinas", "POS-01", Track.TPK),
    "sham selection": ("seleksi terbuka cuma formalitas", "MER-01", Track.NON_TPK),
    "delay": ("KTP saya 6 bulan belum jadi", "SVC-01", Track.NON_TPK),
    "absence": ("dokter jarang masuk", "DIS-01", Track.NON_TPK),
    "corruption in another category": (
        "mobil dinas dijual, uangnya dikorupsi", "DIS-02", Track.TPK,
    ),
    "English": ("the teacher takes bribes", "COR-02", Track.TPK),
    "nothing said": ("halo", "", None),
}  # fmt: skip


@pytest.mark.parametrize("kind", SUBJECTS)
def test_category_and_track_are_read(kind: str) -> None:
    text, category, track = SUBJECTS[kind]
    said = read(text, LEXICON)
    assert (said.category, said.track) == (category, track)


SIGNS = {
    "threat": ("saya diancam kades", {"THREAT"}),
    "retaliation": ("sejak saya melapor saya dipindahkan", {"RETALIATION"}),
    "danger": ("suami saya disekap", {"DANGER"}),
    "weapon": ("mereka punya parang", {"WEAPON"}),
    "tonight": ("uangnya diserahkan malam ini", {"NOW"}),
    "English": ("they have a gun", {"WEAPON"}),
    "harmless": ("kadis kena ancaman sanksi", set()),
    "calm": ("kades potong BLT bulan lalu", set()),
}


@pytest.mark.parametrize("kind", SIGNS)
def test_signs_make_a_report_urgent(kind: str) -> None:
    text, signs = SIGNS[kind]
    said = read(text, LEXICON)
    assert said.signs == signs
    assert said.urgent == bool(signs)


KDH = Reading("KDH", frozenset({"KDH"}), "POS-04", Track.TPK)
CAMAT = Reading("ADM", frozenset(), "SVC-01", Track.NON_TPK, frozenset({"NOW"}))
INS = Reading("INS", frozenset({"INS"}))
NOTHING = Reading()


def test_the_stricter_of_two_readings_keeps_every_accusation() -> None:
    assert stricter(CAMAT, KDH) == Reading(
        "KDH", frozenset({"KDH"}), "SVC-01", Track.TPK, frozenset({"NOW"})
    )
    assert stricter(KDH, INS).conflicts == {"KDH", "INS"}
    assert stricter(KDH, INS).conflict == "INS"
    assert stricter(NOTHING, CAMAT) == CAMAT


readings = st.sampled_from((KDH, CAMAT, INS, NOTHING))


@given(readings, readings, readings)
def test_joining_loses_nothing_and_the_order_of_steps_does_not_matter(
    one: Reading, two: Reading, three: Reading
) -> None:
    joined = stricter(stricter(one, two), three)

    assert joined == stricter(one, stricter(two, three))
    assert joined.conflicts == one.conflicts | two.conflicts | three.conflicts
    assert joined.signs == one.signs | two.signs | three.signs
    assert stricter(one, one) == one


messages = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join),
    st.lists(
        st.sampled_from(
            ("bupati", "inspektorat", "pak", "kantor", ",", ".", "dan", "minta uang",
             "kepada", "yth", "bukan", "tidak tahu", "ajudan", "xq", "😀", "b.u.p")
        ),
        max_size=60,
    ).map(" ".join),
)  # fmt: skip


@given(messages)
def test_any_text_gives_a_reading_of_known_codes(text: str) -> None:
    said = read(text, LEXICON)

    assert said.position in {"", "INS", *BOOK.positions}
    assert said.category in {"", *BOOK.categories}
    assert said.conflicts <= {"KDH", "INS"}
    assert said == read(text, LEXICON)


@given(messages, st.sampled_from(("bupati minta uang", "inspektur terima suap")))
def test_no_words_around_it_hide_a_plain_accusation(text: str, plain: str) -> None:
    wanted = "KDH" if plain.startswith("bupati") else "INS"
    said = read(f"{text}\n{plain}. ", LEXICON)
    assert wanted in said.conflicts


HOSTILE = {
    "one title": "bupati ",
    "excused title": "kantor bupati ",
    "list": "bupati, ",
    "phrases that almost end": "minta uang ",
    "single letters": "a ",
    "dotted": "a.",
    "one word": "x",
    "misspelt": "bupatx gubernux ",
    "digits": "b4p 1n5p3kt0r4t ",
    "addresses": "a@",
    "names": "bupati xqz qqw zzx ",
    "fillers": "bupati pak yang ibu ",
    "marks": "\N{COMBINING ACUTE ACCENT}",
    "grows when folded": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_work_grows_no_faster_than_a_hostile_text(kind: str) -> None:
    """5 to 120 ms for 16 kB when it was measured."""
    part = HOSTILE[kind]
    assert is_linear(lambda size: read(part * (size // len(part)), LEXICON), 4_000)
