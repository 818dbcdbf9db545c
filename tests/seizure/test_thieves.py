"""Each thief of docs/threat-model.md with exactly their loot: what opens, and what does not."""

from collections import Counter

import pytest

from handlers.conversation.memory import Memory
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys, receipt_key, unlock_with
from storage.people import passphrases
from storage.people.passphrases import Wrapped
from storage.rekeying.places import PLACES, How
from storage.words import Role, Stage
from tests.seizure import opening
from tests.seizure.opening import Opening, opened
from tests.seizure.whole import NAMED, PEOPLE, TOLD, WHO, Whole
from tests.support import thief

PEOPLES = ("inbox", "conversations", "subscriptions", "outbox", "departed", "jobs")
WITH_KEY = {
    *("neutral wish", "full wish", "drafting", "chat to clean", "wrote to us"),
    *("opened a moment ago", "unreachable", "officer", "file to fetch", "passkey"),
    *("provider's id", "waiting question", "browser"),
}
"""Marks that database and server key show; all of them are people's, or on their way."""
UNITS_CASES = {"mine", "conflict", "held", "closed", "after", "reported later"}
UNITS_WORDS = {
    *(set(TOLD) - {"other unit's story", "erased story"}),
    "copy",
}


@pytest.fixture(scope="session")
def loot(whole: Whole) -> thief.Loot:
    """Return the store as it lies, and the folder of evidence."""
    return thief.steal(whole.database, whole.folder)


def tries(whole: Whole, loot: thief.Loot, *secrets: bytes) -> Opening:
    """Open what these secrets open, with the server key."""
    return opened(loot, *secrets, keys=whole.keys, folder=whole.folder)


def names(whole: Whole, reports: set[bytes]) -> set[str]:
    return {name for name, case in whole.cases.items() if case.report in reports}


# --- the tool itself


def test_every_column_that_can_be_opened_is_tried():
    sealed = {
        place.name
        for place in PLACES
        if place.how in {How.BLOB, How.WRAP} or place.stays.startswith("sealed to")
    }
    tried = {*opening.LOCKS, *opening.SEALS, *opening.REVEALS, *opening.WRAPS}
    assert tried == sealed


def test_all_keys_together_open_every_place(whole: Whole, loot: thief.Loot):
    """What follows proves something only because the same attempts open it all."""
    everybody = [one.secret for one in whole.people.values()]
    offline = whole.here.house
    reporters = [reporter_secret(whole, name) for name in whole.slips]
    found = tries(
        whole,
        loot,
        *(*everybody, *reporters),
        *(offline.recovery_cases, offline.recovery_identities),
    )
    read = Counter(one.place for one in found.reads)
    for place in (*opening.LOCKS, *opening.SEALS, *opening.REVEALS):
        table, _, column = place.partition(".")
        there = sum(bool(row[column]) for row in loot.rows[table])
        assert read[place] == there > 0, place
    assert {"evidence original", "evidence copy"} <= found.places
    unread = set(whole.marks) - found.shows(whole.marks)
    assert "erased story" in unread
    assert not unread & {*TOLD, *NAMED, *WHO, "copy"} - {"erased story"}
    empty = {table for table, rows in loot.rows.items() if not rows}
    assert empty == {"leases"}, "an empty table proves nothing"


# --- database and files


def test_database_and_files_show_no_secret(whole: Whole, loot: thief.Loot):
    assert loot.finds(whole.marks) == []
    assert opened(loot, folder=whole.folder).reads == []
    foreign = ServerKeys(dict.fromkeys((1, 2), bytes(32)))
    assert opened(loot, keys=foreign, folder=whole.folder).reads == []
    whole_bytes = b"\0".join(value for _, _, value in loot.blobs())
    assert thief.opened_by_server_key(foreign, whole_bytes) == []
    with pytest.raises(NotAuthentic):
        secret_of(foreign, loot, Role.HANDLER)


def test_database_and_files_show_counts_states_and_the_houses_own_names(
    whole: Whole, loot: thief.Loot
):
    """Said honestly: this much does show."""
    cases = loot.rows["cases"]
    assert len(cases) == len(whole.cases)
    assert {row["category"] for row in cases} == {"COR"}
    assert {row["status"] for row in cases} >= {"RECEIVED", "CLOSED"}
    assert {row["name"] for row in loot.rows["units"]} == {
        *("Inspectorate", "Health", "Vault")
    }
    assert {row["login"] for row in loot.rows["officers"]} >= {"sari", "budi", "tini"}
    assert [row["name"] for row in loot.rows["invitations"]] == ["Tono"]
    (reveal, _) = loot.rows["reveals"]
    assert reveal["report"] == whole.cases["mine"].report


def test_nothing_ties_a_conversation_to_a_case(loot: thief.Loot):
    """No value of the people's tables stands in a table of cases; not even a part."""
    theirs: set[bytes] = set()
    others: list[bytes] = []
    for table, _, value in loot.blobs():
        if table in PEOPLES:
            theirs |= set(thief.fragments(value))
        else:
            others.append(value)
    whole = b"\0".join(others)
    assert theirs
    assert not [one for one in theirs if one in whole]
    sizes = {len(content) for name, content in loot.files.items() if "file " in name}
    assert sizes == {64 * 1024 + 16}, "evidence shows no size"


# --- and the server key


def test_the_server_key_opens_what_is_on_its_way_and_nothing_else(
    whole: Whole, loot: thief.Loot
):
    found = tries(whole, loot)
    assert found.places == set(opening.LOCKS)
    assert found.shows(whole.marks) == WITH_KEY
    copies = b"\0".join(value for _, _, value in loot.blobs())
    purposes = {what for what, _ in thief.opened_by_server_key(whole.keys, copies)}
    assert purposes <= {
        *("figures", "conversation", "subscription", "outbox", "job", "session"),
        *("officer-link", "passkey", "draft-grant"),
    }


def test_the_server_key_tells_who_wants_notices_of_which_case(
    whole: Whole, loot: thief.Loot
):
    """Said honestly, and no more than that: other reporters are not there at all."""
    keys, told = whole.keys, {}
    for name, case in whole.cases.items():
        for row in loot.rows["subscriptions"]:
            if row["case_name"] == keys.look_up(Purpose.SUBSCRIPTION_CASE, case.report):
                purpose, where = opening.LOCKS["subscriptions.blob"]
                told[name] = keys.unlock(purpose, row["blob"], where(row))
    assert set(told) == {"mine", "held"}
    assert WHO["neutral wish"].encode() in told["mine"]
    assert WHO["full wish"].encode() in told["held"]
    others = {f"7001234{n}" for n in range(506, 516)}
    read = b"\0".join(one.plain for one in tries(whole, loot).reads)
    assert not [one for one in others if one.encode() in read]


def test_a_conversation_leads_to_a_case_for_15_minutes_only(
    whole: Whole, loot: thief.Loot
):
    leads = {}
    for one in tries(whole, loot).reads:
        if one.place == "conversations.state":
            memory = Memory.from_bytes(one.plain)
            leads[memory.handle] = (memory.report, memory.opened, bool(memory.trail))
    reports = {case.report.hex(): name for name, case in whole.cases.items()}
    draft, opened_case, _ = leads[WHO["drafting"]]
    assert draft
    assert draft not in reports
    assert not opened_case
    assert reports[leads[WHO["opened a moment ago"]][1]] == "after"
    for name in ("chat to clean", "wrote to us"):
        assert leads[WHO[name]] == ("", "", True)
    tied = {one for one in leads if leads[one][1]}
    assert WHO["opened a moment ago"] in tied
    assert tied <= {WHO["opened a moment ago"], WHO["neutral wish"], WHO["full wish"]}


def test_the_old_server_key_alone_opens_nothing_of_today(
    whole: Whole, loot: thief.Loot
):
    found = opened(loot, keys=whole.old_keys, folder=whole.folder)
    assert found.reads == []


def test_what_needs_a_cookie_a_code_or_a_passphrase_stays_shut(
    whole: Whole, loot: thief.Loot
):
    """Not with the server key alone, and not without it."""
    from storage.people import cookies, sessions  # noqa: PLC0415 - beside their only use

    cookie = whole.cookies[Stage.FULL]
    value, name = cookies.parse(cookie)
    (row,) = [row for row in loot.rows["sessions"] if row["hash"] == name]
    where = sessions._context(name, row["officer"], row["began"])  # noqa: SLF001 - a thief reads the source
    right = sessions._key(whole.keys, value, row["secret"][0])  # noqa: SLF001
    secret = unlock_with(right, row["secret"][1:], where)
    assert secret == whole.people["sari"].secret, "with the cookie it opens"
    for ring, guess in ((whole.keys, bytes(32)), (ServerKeys.new(), value)):
        wrong = sessions._key(ring, guess, ring.newest)  # noqa: SLF001
        with pytest.raises(NotAuthentic):
            unlock_with(wrong, row["secret"][1:], where)


def reporter_secret(
    whole: Whole, name: str, keys: ServerKeys | None = None, code: str = ""
) -> bytes:
    """Open a receipt's wrap with number and code, as somebody who found the paper."""
    case, slip = whole.here.case(whole.slips[name].number), whole.slips[name]
    assert case.receipt_wrap
    assert case.receipt_salt
    ring = keys or whole.keys
    key_id = case.receipt_wrap[0]
    key = receipt_key(ring, case.number, code or slip.code, case.receipt_salt, key_id)
    place = Context("cases", case.report, "receipt_wrap")
    return unlock_with(key, case.receipt_wrap[1:], place)


def test_a_receipt_opens_the_officers_words_to_its_holder_only(
    whole: Whole, loot: thief.Loot
):
    """The paper and the database are not enough: the server key is the pepper."""
    foreign = ServerKeys(dict.fromkeys((1, 2), bytes(32)))
    with pytest.raises(NotAuthentic):
        reporter_secret(whole, "mine", foreign)
    with pytest.raises(NotAuthentic):
        reporter_secret(whole, "mine", code=whole.slips["held"].code)
    found = tries(whole, loot, reporter_secret(whole, "mine"))
    assert found.reports("items.blob") == {whole.cases["mine"].report}
    assert found.shows(whole.marks) - WITH_KEY == {"question"}


# --- and one person's passphrase


def secret_of(keys: ServerKeys, loot: thief.Loot, role: Role) -> bytes:
    """Open an account's secret with its passphrase, from the stolen row."""
    login, phrase = PEOPLE[role]
    (row,) = [row for row in loot.rows["officers"] if row["login"] == login]
    wrapped = Wrapped(row["salt"], row["secret"])
    return passphrases.unwrap(keys, row["id"], wrapped, phrase)


LEARNS = {
    Role.HANDLER: (UNITS_CASES, UNITS_WORDS | {"factor of budi"}),
    Role.CUSTODIAN: (set(), {"not understood", "why", "original"}),
    Role.AUDITOR: (set(), set()),
    Role.ADMIN: (set(), set()),
}
"""By whose passphrase: the cases that open, and the marks that show beside WITH_KEY.

A custodian's opens what is asked for and waits, because deciding is opening; an identity
that nobody asks for stays under the case's seal.
"""


@pytest.mark.parametrize("role", LEARNS)
def test_server_key_and_one_passphrase(whole: Whole, loot: thief.Loot, role: Role):
    secret = secret_of(whole.keys, loot, role)
    assert secret == whole.people[PEOPLE[role][0]].secret
    found = tries(whole, loot, secret)
    cases, words = LEARNS[role]
    assert names(whole, found.reports("items.blob")) == cases
    assert found.shows(whole.marks) - WITH_KEY == words
    assert "other unit's story" not in words
    assert not {"identity", "other identity"} & found.shows(whole.marks)


def test_an_officers_passphrase_shows_what_was_granted_to_that_officer(
    whole: Whole, loot: thief.Loot
):
    """Two people opened it for them: it is theirs until it ends. The conflict's case is not."""
    found = tries(whole, loot, whole.people["sari"].secret)
    assert found.reports("reveals.answer") == {whole.cases["mine"].report}
    assert "identity" in found.shows(whole.marks)
    assert names(whole, found.reports("items.blob")) == UNITS_CASES - {"conflict"}
    assert not {"original", "why", "other identity"} & found.shows(whole.marks)


def test_who_was_removed_opens_nothing_of_a_new_copy(whole: Whole, loot: thief.Loot):
    """With old copies: tests/storage/units/test_rotation.py."""
    found = tries(whole, loot, whole.people["eko"].secret)
    assert found.reports("items.blob") == set()
    assert found.shows(whole.marks) - WITH_KEY == set()


def test_each_recovery_paper_opens_its_half(whole: Whole, loot: thief.Loot):
    cases = tries(whole, loot, whole.here.house.recovery_cases)
    assert names(whole, cases.reports("items.blob")) == UNITS_CASES | {"theirs"}
    assert not set(NAMED) & cases.shows(whole.marks)
    identities = tries(whole, loot, whole.here.house.recovery_identities)
    assert identities.reports("items.blob") == set()
    words = identities.shows(whole.marks) - WITH_KEY
    assert words == {"not understood", "why", "original"}, "as a custodian"


def test_what_was_erased_opens_to_nobody(whole: Whole, loot: thief.Loot):
    offline = whole.here.house
    everybody = [one.secret for one in whole.people.values()]
    found = tries(
        whole, loot, *everybody, offline.recovery_cases, offline.recovery_identities
    )
    erased = whole.cases["erased"].report
    assert {one.place for one in found.reads if one.report == erased} == {
        "cases.figures"
    }
    assert "erased story" not in found.shows(whole.marks)
