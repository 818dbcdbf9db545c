"""Number and code: one way in, the same cost for the unknown, no lock, one receipt."""

import secrets

import pytest

from handlers.cases import receipts
from handlers.messages import Proof
from handlers.rules import numbering
from storage.crypto import server_key
from storage.jobs import jobs
from storage.words import JobKind
from tests.support.desk import Desk, Slip, desk


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def wrong_code(right: str) -> str:
    for code in ("1234-5678-9012-3452", "0000-0000-0000-0000"):
        if numbering.read_receipt(code, expects_code=True) and code != right:
            return code
    raise AssertionError


def test_the_unknown_costs_the_same_work_and_says_the_same(here, monkeypatch):
    _, slip = here.reports("555")
    runs: list[str] = []
    real = server_key.receipt_key

    def counted(keys, number, *rest):
        runs.append(number)
        return real(keys, number, *rest)

    monkeypatch.setattr(server_key, "receipt_key", counted)
    code = wrong_code(slip.code)
    unknown = numbering.new_case_number(secrets.randbelow)
    here.say("1", f"STATUS {slip.number} {code}")
    (known_says,) = here.delivers()
    here.say("2", f"STATUS {unknown} {code}")
    (unknown_says,) = here.delivers()
    assert runs == [slip.number, unknown]
    assert known_says.text == unknown_says.text
    assert known_says.buttons == unknown_says.buttons


def test_wrong_codes_lock_nobody(here):
    _, slip = here.reports("555")
    wrong = Slip(slip.number, wrong_code(slip.code))
    heard = []
    for n in range(12):
        here.say("1", f"{n} STATUS {wrong}")
        heard.append(here.delivers()[-1].text)
    assert len(set(heard)) == 1
    for handle in ("1", "2"):
        here.say(handle, f"STATUS {slip}")
        assert len(here.delivers()) >= 2


@pytest.mark.both_stores
def test_a_receipt_is_given_once_by_two_makers(here):
    here.say("555", "LAPOR Kepala dinas meminta uang dua puluh juta")
    with here.database.writing() as session:
        (job,) = jobs.claim(session, here.keys, JobKind.RECEIPT, limit=9, now=here.now)
    here.later(seconds=61)
    with here.database.writing() as session:
        (twin,) = jobs.claim(session, here.keys, JobKind.RECEIPT, limit=9, now=here.now)
    with here.database.reading() as session:
        number = receipts.case_number(here.work(session), job.details)
    assert number
    report = bytes.fromhex(job.details["report"])
    one, two = (receipts.prepare(here.office, report, number) for _ in range(2))
    assert not here.act(receipts.give, job, one), "the lease was lost"
    assert here.act(receipts.give, twin, two)
    assert not here.act(receipts.give, twin, two)
    given = [letter for letter in here.delivers() if letter.kind == "receipt"]
    assert len(given) == 1
    here.say("555", f"STATUS {number} {two.code}")
    assert len(here.delivers()) >= 2
    with here.database.reading() as session:
        assert receipts.case_number(here.work(session), job.details) is None
    assert "code" not in repr(two)


@pytest.mark.both_stores
def test_a_crash_between_submit_and_receipt_heals(here):
    here.say("555", "LAPOR Kepala dinas meminta uang dua puluh juta")
    with here.database.writing() as session:
        assert jobs.claim(session, here.keys, JobKind.RECEIPT, limit=9, now=here.now)
    here.delivers()
    # the maker dies here, holding the job
    assert here.makes_receipts() == []
    here.later(days=3)
    assert here.makes_receipts() == [True], "it never expires"
    assert any(letter.kind == "receipt" for letter in here.delivers())


def test_a_number_without_its_code_opens_nothing(here):
    _, slip = here.reports("555")
    with here.database.reading() as session:
        asked = receipts.question(here.work(session), slip.number, "")
    opening = receipts.open_with(here.office, asked)
    assert opening.proof is Proof.NONE
    assert opening.number_only
