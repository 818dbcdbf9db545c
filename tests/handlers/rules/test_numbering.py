"""Numbers and codes: every slip is caught, and nothing else is taken for one."""

import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from itertools import combinations, count, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import NumbersExhausted
from handlers.rules import numbering
from handlers.rules.numbering import ALPHABET, Receipt, read_receipt

NUMBER = "7K3M-9QXF"
OTHER = "X4D2-8TBQ"
CODE = "1234-5678-9012-3450"


def drawn(seed: int) -> Callable[[int], int]:
    """Return a source of randomness that hypothesis can repeat."""
    counter = count()
    return lambda n: int(sha256(f"{seed}.{next(counter)}".encode()).hexdigest(), 16) % n


seeds = st.integers(0, 2**64)
numbers = seeds.map(lambda seed: numbering.new_case_number(drawn(seed)))
codes = seeds.map(lambda seed: numbering.new_code(drawn(seed)))


def some_numbers(many: int) -> list[str]:
    return [numbering.new_case_number(secrets.randbelow) for _ in range(many)]


def test_issued_numbers_have_the_promised_shape() -> None:
    for number in some_numbers(2_000):
        assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", number)
        first, second = number.split("-")
        assert set("23456789") & set(first)
        assert set("23456789") & set(second)
        assert any(character.isalpha() for character in number)
        assert numbering.parse_case_number(number) == number


def test_every_character_appears_at_every_place() -> None:
    seen = [set(column) for column in zip(*some_numbers(4_000), strict=True)]

    assert all(column == set(ALPHABET) for at, column in enumerate(seen) if at != 4)


def test_a_source_without_randomness_is_refused() -> None:
    with pytest.raises(NumbersExhausted, match="source of randomness"):
        numbering.new_case_number(lambda _: 0)


def test_every_single_wrong_character_is_caught() -> None:
    for number in some_numbers(40):
        plain = number.replace("-", "")
        for at, wrong in product(range(8), ALPHABET):
            if wrong != plain[at]:
                typed = plain[:at] + wrong + plain[at + 1 :]
                assert numbering.parse_case_number(typed) is None, (number, typed)


def test_every_exchange_of_two_characters_is_caught_the_check_character_too() -> None:
    for number in some_numbers(400):
        plain = number.replace("-", "")
        for a, b in combinations(range(8), 2):
            if plain[a] != plain[b]:
                typed = list(plain)
                typed[a], typed[b] = typed[b], typed[a]
                assert numbering.parse_case_number("".join(typed)) is None


def test_the_check_alone_catches_slips_whatever_the_shape() -> None:
    """The sum is linear, so one right word stands for all: try every difference."""
    zero = "0" * 8
    for at, wrong in product(range(8), ALPHABET[1:]):
        assert numbering._syndrome(zero[:at] + wrong + zero[at + 1 :])  # noqa: SLF001 - the shape would hide a weak sum
    for at, difference in product(range(7), ALPHABET[1:]):
        pair = zero[:at] + difference * 2 + zero[at + 2 :]
        assert numbering._syndrome(pair)  # noqa: SLF001 - as above


@given(numbers, st.data())
def test_a_number_is_read_however_it_is_typed(number: str, data: st.DataObject) -> None:
    typed = data.draw(spelled(number))

    assert numbering.parse_case_number(typed) == number


def spelled(number: str) -> st.SearchStrategy[str]:
    """Type a number with look-alikes, small letters, odd dashes and wide figures."""
    alike = {"0": "0Oo0", "1": "1IiLl1"}
    dashes = ["-", " ", "", "–", "—", "−", "‑", " - ", ".", "\n", "\u200b-"]  # noqa: RUF001 - the dashes that phones put in
    places = [
        st.sampled_from(
            dashes
            if character == "-"
            else [
                *alike.get(character, ""),
                character,
                character.lower(),
                chr(ord(character) + 0xFEE0),
            ]
        )
        for character in number
    ]
    return st.tuples(*places).map("".join)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "7K3M",
        "7K3M-9QX",
        "7K3M-9QXFA",
        "UUUU-2222",
        "7UUU-2222",
        "07K3M9QXF",
        "7K3M+9QXF",
        "20260317",
        "é",
    ],
)
def test_what_is_no_number_is_none(typed: str) -> None:
    assert numbering.parse_case_number(typed) is None


def code_in(text: str) -> str | None:
    found = read_receipt(text, expects_code=True)
    return found.code if found else None


def test_the_example_in_the_texts_is_nobodys() -> None:
    assert numbering.parse_case_number("7K3M-9QXB") is None
    assert code_in("1234-5678-9012-3456") is None


def test_every_wrong_digit_and_every_swap_of_neighbours_in_a_code_is_caught() -> None:
    for _ in range(200):
        code = numbering.new_code(secrets.randbelow)
        plain = code.replace("-", "")
        assert code_in(code) == code
        for at, wrong in product(range(16), "0123456789"):
            if wrong != plain[at]:
                assert code_in(plain[:at] + wrong + plain[at + 1 :]) is None
        for at in range(15):
            a, b = plain[at], plain[at + 1]
            if a != b:
                assert code_in(plain[:at] + b + a + plain[at + 2 :]) is None


def test_the_check_digits_table_is_totally_antisymmetric() -> None:
    table = numbering._DAMM  # noqa: SLF001 - the proof is about the table itself
    assert all(set(row) == set(range(10)) for row in table)
    assert all(table[digit][digit] == 0 for digit in range(10))
    for c, x, y in product(range(10), repeat=3):
        assert x == y or table[table[c][x]][y] != table[table[c][y]][x]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1234567890123450", CODE),
        ("1234 5678 9012 3450", CODE),
        ("I234-5678-9OI2-345o", CODE),
        ("１２３４ ５６７８ ９０１２ ３４５０", CODE),  # noqa: RUF001 - full-width digits
        ("١٢٣٤-٥٦٧٨-٩٠١٢-٣٤٥٠", CODE),
        ("123456789012345", None),
        ("12345678901234500", None),
        ("1234-5678-9012-345A", None),
        ("", None),
    ],
)
def test_codes_are_read_as_typed(typed: str, expected: str | None) -> None:
    assert code_in(typed) == expected


BOTH = Receipt(NUMBER, CODE)
ALONE = Receipt(NUMBER, "")

READ = {
    "status line": (f"STATUS {NUMBER} {CODE}", BOTH),
    "small and spaced": ("7k3m 9qxf 1234 5678 9012 3450", BOTH),
    "joined": ("7k3m9qxf1234567890123450", None),
    "joined but apart": ("7k3m9qxf 1234567890123450", BOTH),
    "line breaks": ("7K3M-9QXF\n1234-5678\n9012-3450", BOTH),
    "a break in the middle": ("7K3M-\n9QXF\r\n1234 5678 9012\r\n3450", BOTH),
    "letters for figures": ("7K3M-9QXF I234-5678-9OI2-345O", BOTH),
    "dashes of a phone": ("7K3M–9QXF 1234—5678−9012‑3450", BOTH),  # noqa: RUF001 - typographic dashes
    "wide figures": ("７Ｋ３Ｍ－９ＱＸＦ １２３４５６７８９０１２３４５０", BOTH),  # noqa: RUF001 - full width
    "invisible marks": ("\u200e7K3M-\u200b9QXF\u2060 1234-5678-9012-3450\u200f", BOTH),
    "our own receipt by SMS": (
        (f"Terima kasih, laporan diterima. Nomor {NUMBER} Kode {CODE} Catat di tempat "
        "aman lalu hapus SMS ini. Kode yang hilang tidak bisa diganti."),
        BOTH,
    ),
    "our own receipt in a chat": (
        (f"Thank you for your courage. Number: {NUMBER}. Secret code: {CODE}. Write it "
        "on paper or somewhere safe, then delete this message."),
        BOTH,
    ),
    "an addition behind it": (
        f"TAMBAH {NUMBER} {CODE} kemarin saya lihat lagi mobil itu di depan kantor",
        BOTH,
    ),
    "figures before it": (f"2026 4 {NUMBER}, {CODE}", BOTH),
    "figures between": (f"{NUMBER} 2026 {CODE}", BOTH),
    "number alone": (NUMBER, ALONE),
    "number in a short question": (f"halo mau cek laporan {NUMBER}", ALONE),
    "number of another, with its code": (f"{OTHER} bukan {NUMBER} {CODE}", BOTH),
    "code mistyped": (f"STATUS {NUMBER} 1234-5678-9012-3456", ALONE),
    "a long code": (f"STATUS {NUMBER} {CODE}99", ALONE),
    "four letter command": (f"BACA {NUMBER.replace('-', ' ')}", ALONE),
    "closely written wins": (f"7K3M 9QXF {OTHER}", Receipt(OTHER, "")),
    "two ways to read it": (f"RT05 {NUMBER.replace('-', ' ')}", None),
    "two ways, but a code": (f"RT05 {NUMBER.replace('-', ' ')} {CODE}", BOTH),
    "half of it from the code": ("STATUS GBZD Q5DP 0725 8914 7665 8846", None),
    "part of a chain": (f"2026-{NUMBER} {NUMBER}-2026", None),
    "number mistyped": (f"STATUS 7K3M-9QXB {CODE}", None),
    "code alone": (CODE, None),
    "code before the number": (f"{CODE} {NUMBER}", ALONE),
    "an identity number": ("NIK saya 3174051208900014", None),
    "number in a story": (
        f"kemarin ada surat {NUMBER} di meja pak camat lalu disuruh bayar", None,
    ),
    "code far behind": (
        f"{NUMBER} lalu di meja itu ada juga kartu dengan angka {CODE} tertulis", None,
    ),
    "a word": ("PENGADAAN", None),
    "eight letters": ("mahkamah", None),
    "a date": ("20260317", None),
    "two years": ("2025-2026", None),
    "part of a longer word": (f"A{NUMBER} B{NUMBER}C", None),
    "letters of another alphabet around it": (f"é{NUMBER}", None),
    "nothing": ("", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_receipts_are_found_in_what_people_write(
    text: str, expected: Receipt | None
) -> None:
    assert read_receipt(text) == expected


def test_the_sample_numbers_are_right() -> None:
    assert numbering.parse_case_number(NUMBER) == NUMBER
    assert numbering.parse_case_number(OTHER) == OTHER


STEP = {
    "digits alone": (CODE, Receipt("", CODE)),
    "with words": (f"kode saya {CODE} terima kasih", Receipt("", CODE)),
    "after other figures": ("2026 1234 5678 9012 3450", Receipt("", CODE)),
    "before the number": (f"{CODE} {NUMBER}", BOTH),
    "far behind the number": (f"{NUMBER} lalu ini dia kode rahasia saya {CODE}", BOTH),
    "mistyped": ("1234-5678-9012-3456", None),
}


@pytest.mark.parametrize(("text", "expected"), STEP.values(), ids=STEP)
def test_in_the_code_step_sixteen_digits_are_a_code(
    text: str, expected: Receipt | None
) -> None:
    assert read_receipt(text, expects_code=True) == expected


def test_a_known_number_completes_a_code_and_yields_to_a_typed_one() -> None:
    assert read_receipt(CODE, number=OTHER, expects_code=True) == Receipt(OTHER, CODE)
    assert read_receipt(CODE, number=OTHER) is None
    assert read_receipt("selamat pagi", number=OTHER, expects_code=True) is None
    assert read_receipt(f"{NUMBER} {CODE}", number=OTHER) == BOTH


def test_a_keyword_lets_a_number_count_in_a_long_text() -> None:
    text = f"tolong STATUS: {NUMBER} karena saya sudah menunggu lama sekali di sini"

    assert read_receipt(text) is None
    assert read_receipt(text, keywords={"STATUS"}) == ALONE


def test_few_words_are_four() -> None:
    assert read_receipt(f"satu dua {NUMBER} tiga empat") == ALONE
    assert read_receipt(f"satu dua {NUMBER} tiga empat lima") is None


def test_a_code_may_stand_three_words_behind() -> None:
    story = "dan seterusnya sampai habis ceritanya"

    assert read_receipt(f"{NUMBER} satu dua tiga {CODE} {story}") == BOTH
    assert read_receipt(f"{NUMBER} satu dua tiga empat {CODE} {story}") is None


def test_a_receipt_does_not_print_itself() -> None:
    assert "9QXF" not in repr(BOTH)
    assert "3450" not in repr(BOTH)


WORDS = "kepala dinas meminta uang proyek jalan 50 juta pada 12 Maret 2026 di RT05 RW03"


@given(numbers, codes, st.data())
def test_no_receipt_is_lost_or_read_wrongly(
    number: str, code: str, data: st.DataObject
) -> None:
    typed = data.draw(spelled(number))
    grouping = data.draw(st.sampled_from(["-", " ", "", ".", "\n"]))
    text = f"STATUS {typed} {code.replace('-', grouping)} mohon kabarnya"

    assert read_receipt(text) == Receipt(number, code)


@given(
    numbers,
    codes,
    st.integers(0, 7),
    st.sampled_from(ALPHABET),
    st.sampled_from(["-", " ", ""]),
    st.sampled_from(["-", " "]),
)
def test_a_mistyped_number_is_never_another_one(
    number: str, code: str, at: int, wrong: str, dash: str, other_dash: str
) -> None:
    plain = list(number.replace("-", ""))
    plain[at] = wrong
    typed = "".join(plain[:4]) + dash + "".join(plain[4:])

    found = read_receipt(f"STATUS {typed} {code.replace('-', other_dash)}")

    right = "".join(plain) == number.replace("-", "")
    assert found == (Receipt(number, code) if right else None)


@given(st.lists(st.sampled_from(WORDS.split()), min_size=9, max_size=40))
def test_a_story_is_never_a_number(words: list[str]) -> None:
    assert read_receipt(" ".join(words)) is None


@given(st.text(), st.booleans())
def test_reading_is_total_and_canonical(text: str, expects: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    found = read_receipt(text, expects_code=expects)

    if found is not None:
        assert found.number or found.code
        assert found.number in {"", numbering.parse_case_number(found.number)}
        assert found.code in {"", code_in(found.code)}


@given(
    st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=9), st.text("0123456789")
)
def test_words_and_plain_figures_are_never_numbers(word: str, figures: str) -> None:
    assert numbering.parse_case_number(word) is None
    assert numbering.parse_case_number(figures) is None


def test_a_very_long_text_is_answered_quickly() -> None:
    assert read_receipt("1 " * 500_000, expects_code=True) is None


def test_the_register_number_is_in_order_and_no_case_number() -> None:
    assert numbering.register_number(2026, 7) == "2026/000007"
    assert numbering.register_number(2026, 9) < numbering.register_number(2026, 10)
    assert numbering.parse_case_number(numbering.register_number(2026, 42)) is None
