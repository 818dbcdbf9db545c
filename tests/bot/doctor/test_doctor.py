"""The doctor against an installation, the simulator and providers that answer strangely."""

import asyncio
import os
import shutil
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.doctor import doctor, installation
from bot.doctor.findings import Patient, State
from bot.doctor.numbers import FRAGMENT
from bot.evidence import clamav, converter
from bot.settings import loading
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import bucket as buckets
from storage.jobs import jobs
from storage.words import JobKind
from tests.support import scripted
from tests.support.scripted import Answer
from tests.support.terminal import ABOVE, Terminal, init, write_recovery

pytestmark = pytest.mark.usefixtures("home")
TOKEN = "123456789:AAE-token-of-the-doctor-test"
SID = "AC" + "a" * 32
PUBLIC = "http://127.0.0.1:8080"
ME = {"id": 123456789, "is_bot": True, "username": "lapor_bot"}


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("founded")
    before = Path.cwd()
    os.chdir(folder)
    try:
        write_recovery(folder)
        assert init(Terminal(folder), *ABOVE, "--generate").code == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def home(founded, tmp_path, monkeypatch):
    folder = tmp_path / "home"
    shutil.copytree(founded, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
async def provider():
    async with scripted.provider() as made:
        yield made


async def examine(*, clock=utc_now, seconds=doctor.SECONDS, **environ):
    """Examine this folder; return the findings as check → (state, line)."""
    given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
    return await asyncio.to_thread(
        doctor.examine, None, given, clock=clock, seconds=seconds
    )


def said(findings, check):
    return [(one.state, one.says) for one in findings if one.check == check]


def telegram(provider, **more):
    return {
        "TELEGRAM__TOKEN": TOKEN,
        "TELEGRAM__API_BASE_URL": f"{provider.url}/bot",
        "TELEGRAM__FILE_BASE_URL": f"{provider.url}/file/bot",
        **more,
    }


def twilio(provider, **more):
    return {
        "SERVER__PUBLIC_URL": PUBLIC,
        "TWILIO__ACCOUNT_SID": SID,
        "TWILIO__AUTH_TOKEN": "t" * 32,
        "TWILIO__API_BASE_URL": provider.url,
        "TWILIO__SMS_NUMBER": "+15005550006",
        **more,
    }


async def test_a_fresh_installation_is_well():
    findings = await examine()
    assert doctor.is_well(findings)
    assert {one.check for one in findings} >= {
        "config", "server key", "database", "files", "disk", "units", "recovery cases",
        "recovery identities", "public_url", "metrics", "rules", "holidays", "telegram",
        "twilio", "channels", "memory",
    }  # fmt: skip
    assert said(findings, "memory")[0][0] is State.WARN  # tests are not hardened
    assert said(findings, "channels")[0][0] is State.WARN


async def test_the_simulator_is_a_good_provider(simulator):
    known = simulator.settings
    address = f"{DOOR_SMS}#{FRAGMENT}"
    await simulator.control("settings", sms_webhook=address, sms_fallback=address)
    findings = await examine(
        SERVER__PUBLIC_URL=PUBLIC,
        TELEGRAM__TOKEN=known["telegram_token"],
        TELEGRAM__API_BASE_URL=f"{simulator.url}/bot",
        TELEGRAM__FILE_BASE_URL=f"{simulator.url}/file/bot",
        TWILIO__ACCOUNT_SID=known["account_sid"],
        TWILIO__AUTH_TOKEN=known["auth_token"],
        TWILIO__API_BASE_URL=simulator.url,
        TWILIO__SMS_NUMBER=known["sms_number"],
        TWILIO__WHATSAPP_NUMBER=known["whatsapp_number"],
    )
    assert doctor.is_well(findings), findings
    assert said(findings, "telegram")[0][0] is State.OK
    assert said(findings, "telegram webhook") == [(State.OK, "none, we poll")]
    assert said(findings, "twilio")[0][0] is State.OK
    assert len(said(findings, "clock")) == 2
    assert "/webhooks/twilio/whatsapp" in said(findings, "twilio whatsapp")[0][1]


def no_config(home):
    (home / "config.toml").write_text("[agency]\nnme = 'x'\n")


def no_key(home):
    (home / "server.key").unlink()


def open_key(home):
    (home / "server.key").chmod(0o640)


def bad_key(home):
    (home / "server.key").write_text("nonsense")


def other_key(home):
    (home / "server.key").write_text(ServerKeys.new().to_text())


def no_database(home):
    (home / "kentongan.db").unlink()


def empty_database(home):
    (home / "kentongan.db").unlink()
    (home / "kentongan.db").touch()


def no_sqlite(home):
    (home / "kentongan.db").write_bytes(b"something else altogether" * 1000)


def change(statement):
    def spoil(home):
        import sqlite3  # noqa: PLC0415 - hands on the file, behind the program's back

        with sqlite3.connect(home / "kentongan.db") as store:
            store.execute(statement)
        store.close()

    return spoil


def bad_rules(home):
    (home / "rules").mkdir()
    (home / "rules" / "workflow.toml").write_text("no TOML")
    config = home / "config.toml"
    config.write_text(f'{config.read_text()}rules = "rules"\n')


@pytest.mark.parametrize(
    ("spoil", "check", "line"),
    [
        (no_config, "config", "did you mean agency.name"),
        (no_key, "server key", "no such file"),
        (open_key, "config", "chmod 600"),
        (bad_key, "server key", "1:BASE64"),
        (other_key, "house", "does not belong"),
        (no_database, "database", "kentongan init"),
        (empty_database, "database", "kentongan init"),
        (no_sqlite, "database", "no SQLite database"),
        (change("UPDATE alembic_version SET version_num = '9'"), "database", "newer"),
        (change("DELETE FROM settings"), "house", "kentongan init"),
        (change("DELETE FROM routes"), "units", "A route was changed"),
        (change("DELETE FROM recovery_keys"), "recovery cases", "recovery-public"),
        (
            change("UPDATE recovery_keys SET tag = x'00'"),
            "recovery identities",
            "by hand",
        ),
        (bad_rules, "rules", "workflow.toml"),
    ],
)
async def test_what_is_wrong_is_named(home, spoil, check, line):
    spoil(home)
    findings = await examine()
    assert not doctor.is_well(findings)
    wrong = [one for one in findings if one.state is State.WRONG and one.check == check]
    assert wrong, findings
    assert line in wrong[0].says


async def test_warnings_of_the_house(home, monkeypatch):
    (home / "files").rmdir()
    monkeypatch.setattr(installation, "_LITTLE", 1 << 40)
    december = datetime(2051, 12, 1, tzinfo=UTC)
    findings = await examine(
        clock=lambda: december, SERVER__HOST="192.0.2.1", SERVER__PUBLIC_URL=PUBLIC
    )
    warned = {one.check for one in findings if one.state is State.WARN}
    assert warned >= {"files", "disk", "host", "public_url", "holidays"}
    assert len(said(findings, "holidays")) == 2
    assert doctor.is_well(findings)


@pytest.mark.parametrize(
    ("environ", "state", "line"),
    [
        ({}, State.WARN, "leads nowhere"),
        ({"TELEGRAM__TOKEN": TOKEN}, State.WRONG, "leads nowhere"),
        ({"SERVER__PUBLIC_URL": "http://127.0.0.1:9"}, State.WARN, "this machine only"),
        ({"SERVER__PUBLIC_URL": "https://x.go.id"}, State.OK, "https://x.go.id"),
        ({"AGENCY__INFO_URL": "https://x.go.id/a"}, State.OK, "https://x.go.id/a"),
    ],
    ids=["nobody can report", "nowhere", "here only", "our own page", "their page"],
)
async def test_where_the_link_leads_is_said(environ, state, line):
    given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
    patient = Patient(loading.load(None, given), given, utc_now())
    ((found, says),) = said(installation.reach(patient), "link")
    assert (found, line in says) == (state, True)


async def test_a_full_disk_and_an_open_folder(home, monkeypatch):
    (home / "files").chmod(0o755)
    monkeypatch.setattr(installation, "_FAR_TOO_LITTLE", 1 << 40)
    findings = await examine(SERVER__PUBLIC_URL="https://lapor.example.go.id")
    assert said(findings, "disk")[0][0] is State.WRONG
    assert "chmod 700" in said(findings, "files")[0][1]
    assert said(findings, "public_url")[0][0] is State.OK


async def test_problems_in_texts_are_counted(monkeypatch):
    monkeypatch.setattr("bot.doctor.installation.book.check", lambda *_: ["one", "two"])
    assert "2 to correct" in said(await examine(), "rules")[0][1]


async def test_a_check_that_fails_or_hangs_stops_no_other(monkeypatch):
    def fails(_patient):
        raise ZeroDivisionError("a secret")

    def hangs(_patient):
        time.sleep(30)
        return []

    looks = (("fails", fails), ("hangs", hangs), *installation.LOOKS)
    monkeypatch.setattr(installation, "LOOKS", looks)
    begun = time.monotonic()
    findings = await examine(seconds=3)
    assert time.monotonic() - begun < 10
    assert "ZeroDivisionError" in said(findings, "fails")[0][1]
    assert "a secret" not in str(findings)
    assert "no answer within 3 seconds" in said(findings, "hangs")[0][1]
    assert said(findings, "database")[0][0] is State.OK


async def test_an_unknown_fault_of_the_store_is_told(monkeypatch):
    def fails(_store):
        raise ZeroDivisionError

    monkeypatch.setattr(installation, "_try_to_write", fails)
    assert "ZeroDivisionError" in said(await examine(), "database")[0][1]


async def test_postgresql_is_looked_at_too(postgres_url):
    findings = await examine(DATABASE__URL=postgres_url)
    assert "kentongan init" in said(findings, "database")[0][1]
    findings = await examine(DATABASE__URL="postgresql://nobody@127.0.0.1:1/nowhere")
    assert "cannot be used" in said(findings, "database")[0][1]


GOOD = {"ok": True, "result": ME}


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer(401, {"ok": False}), "correct telegram.token"),
        (Answer(404, {"ok": False}), "correct telegram.token"),
        (Answer(502, "bad gateway"), "answers 502"),
        (Answer(200, ["strange"]), "answers 200"),
        (Answer(200, "{"), "answers 200"),
        (Answer(lost=True), "does not answer"),
    ],
)
async def test_telegram_that_refuses(provider, answer, line):
    provider.answers = [answer]
    findings = await examine(**telegram(provider))
    state, told = said(findings, "telegram")[0]
    assert state is State.WRONG
    assert line in told
    assert TOKEN not in str(findings)


def hook(**more):
    return Answer(200, {"ok": True, "result": {"url": "", **more}})


WEBHOOK = {
    "TELEGRAM__MODE": "webhook",
    "TELEGRAM__WEBHOOK_SECRET": "s" * 20,
    "SERVER__PUBLIC_URL": "https://lapor.example.go.id",
}
DOOR = "https://lapor.example.go.id/webhooks/telegram"


@pytest.mark.parametrize(
    ("environ", "answer", "state", "line"),
    [
        ({}, hook(), State.OK, "we poll"),
        ({}, hook(url=DOOR), State.WARN, "while we poll"),
        ({}, hook(pending_update_count=101), State.WARN, "101 updates wait"),
        (WEBHOOK, hook(url=DOOR), State.OK, DOOR),
        (WEBHOOK, hook(), State.WRONG, "none is registered"),
        (WEBHOOK, hook(url="https://elsewhere"), State.WRONG, "another one"),
        (
            WEBHOOK,
            hook(
                url=DOOR, last_error_date=int(time.time()), last_error_message="Timeout"
            ),
            State.WARN,
            "Timeout",
        ),
        (WEBHOOK, hook(url=DOOR, last_error_date=1), State.OK, DOOR),
        (
            WEBHOOK,
            hook(url=DOOR, allowed_updates=["message"]),
            State.WARN,
            "some kinds",
        ),
        ({}, Answer(200, []), State.OK, "we poll"),
        ({}, Answer(lost=True), State.WARN, "could not be read"),
    ],
)
async def test_the_webhook_is_compared(provider, environ, answer, state, line):
    provider.answers = [Answer(200, GOOD), answer]
    findings = await examine(**telegram(provider, **environ))
    assert said(findings, "telegram webhook")[0][0] is state
    assert line in said(findings, "telegram webhook")[0][1]


async def test_a_bot_that_hears_groups_is_warned_of(provider):
    me = ME | {"can_join_groups": True, "can_read_all_group_messages": True}
    provider.answers = [Answer(200, {"ok": True, "result": me}), hook()]
    findings = await examine(**telegram(provider))
    assert [state for state, _ in said(findings, "telegram groups")] == [State.WARN] * 2


@pytest.mark.parametrize(
    ("shift", "state"),
    [(0, State.OK), (20, State.OK), (45, State.WRONG), (-45, State.WRONG)],
)
async def test_the_clock_is_compared_with_the_providers(provider, shift, state):
    theirs = utc_now() + timedelta(seconds=shift)
    date = format_datetime(theirs, usegmt=True)
    provider.answers = [Answer(200, GOOD, {"Date": date}), hook()]
    findings = await examine(**telegram(provider))
    assert said(findings, "clock")[0][0] is state


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
async def test_a_provider_without_a_clock(provider, headers):
    provider.answers = [Answer(200, GOOD, headers), hook()]
    assert said(await examine(**telegram(provider)), "clock") == []


DOOR_SMS = f"{PUBLIC}/webhooks/twilio/sms"


def number(**more):
    return Answer(200, {"incoming_phone_numbers": [more]})


STUBBORN = {
    "sms_url": f"{DOOR_SMS}#{FRAGMENT}",
    "sms_method": "POST",
    "sms_fallback_url": f"{DOOR_SMS}#{FRAGMENT}",
    "sms_fallback_method": "POST",
    "sms_application_sid": "",
}
SERVED = {
    "direction": "inbound",
    "to": "+15005550006",
    "messaging_service_sid": "MG" + "1" * 32,
}


@pytest.mark.parametrize(
    ("answers", "check", "state", "line"),
    [
        ([Answer(401, {"code": 20003})], "twilio", State.WRONG, "twilio.auth_token"),
        ([Answer(503)], "twilio", State.WRONG, "answers 503"),
        ([Answer(lost=True)], "twilio", State.WRONG, "does not answer"),
        (
            [Answer(200, {}), number(**STUBBORN)],
            "twilio sms", State.OK, DOOR_SMS,
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_url": DOOR_SMS + "#rc=2&rp=all"})],
            "twilio sms", State.OK, DOOR_SMS,
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_url": DOOR_SMS})],
            "twilio sms", State.WARN, f"gives up at once; write {DOOR_SMS}#ct=2000",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_url": DOOR_SMS + "#rc=0&rp=all"})],
            "twilio sms", State.WARN, "gives up at once",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_url": DOOR_SMS + "#rt=500&rp=all"})],
            "twilio sms", State.WARN, "shorter than we try",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_fallback_url": ""})],
            "twilio sms", State.WARN, "no fallback",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_fallback_url": "https://x.example/"})],
            "twilio sms", State.WARN, "no door of ours",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_fallback_method": "GET"})],
            "twilio sms", State.WARN, "fallback is called by GET",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_method": "GET"})],
            "twilio sms", State.WRONG, "sent by GET",
        ),
        (
            [Answer(200, {}), number(**STUBBORN | {"sms_url": "https://x.example/"})],
            "twilio sms", State.WRONG, "go elsewhere",
        ),
        (
            [Answer(200, {"messages": [SERVED]}), number(**STUBBORN)],
            "twilio service", State.WARN, "Defer to sender",
        ),
        (
            [Answer(200, {}), number(sms_url="", sms_application_sid="AP1")],
            "twilio sms", State.WARN, "application",
        ),
        (
            [Answer(200, {}), Answer(200, {"incoming_phone_numbers": []})],
            "twilio sms", State.WRONG, "not in this account",
        ),
        ([Answer(200, {}), Answer(404, {})], "twilio sms", State.WARN, "cannot be read"),
        ([Answer(200, {}), Answer(lost=True)], "twilio sms", State.WARN, "could not"),
    ],
)  # fmt: skip
async def test_twilio_is_asked(provider, answers, check, state, line):
    provider.answers = answers
    findings = await examine(**twilio(provider))
    assert said(findings, check)[0][0] is state
    assert line in said(findings, check)[0][1]
    assert "t" * 32 not in str(findings)


async def test_a_second_token_is_for_a_while_only(provider):
    provider.answers = [Answer(200, {}), number(**STUBBORN)]
    findings = await examine(**twilio(provider, TWILIO__PREVIOUS_AUTH_TOKEN="o" * 32))
    assert said(findings, "twilio token")[0][0] is State.WARN
    assert "o" * 32 not in str(findings)


async def test_the_simulator_tells_what_is_set(simulator):
    known = simulator.settings
    await simulator.control(
        "settings",
        sms_webhook=DOOR_SMS,
        sms_method="GET",
        messaging_service_sid="MG1",
    )
    await simulator.phone("sms").say("halo")
    findings = await examine(
        SERVER__PUBLIC_URL=PUBLIC,
        TWILIO__ACCOUNT_SID=known["account_sid"],
        TWILIO__AUTH_TOKEN=known["auth_token"],
        TWILIO__API_BASE_URL=simulator.url,
        TWILIO__SMS_NUMBER=known["sms_number"],
    )
    assert "by GET" in said(findings, "twilio sms")[0][1]
    assert "Messaging Service MG1" in said(findings, "twilio service")[0][1]


async def test_whatsapp_alone_has_no_number_to_ask_for(provider):
    provider.answers = [Answer(200, {})]
    environ = twilio(provider, TWILIO__WHATSAPP_NUMBER="+15005550009")
    findings = await examine(**(environ | {"TWILIO__SMS_NUMBER": ""}))
    assert said(findings, "twilio sms") == []
    assert len(provider.asked) == 1


async def test_a_provider_that_is_silent_holds_nobody_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/bot"
        begun = time.monotonic()
        findings = await examine(
            seconds=1, TELEGRAM__TOKEN=TOKEN, TELEGRAM__API_BASE_URL=url
        )
    assert time.monotonic() - begun < 10
    assert said(findings, "telegram")[0][0] is State.WRONG


async def test_the_command_prints_and_ends_with_one(home):
    terminal = Terminal(home)
    well = await asyncio.to_thread(terminal, "doctor", "--json")
    assert well.code == 0
    assert {row["state"] for row in well.json} <= {"ok", "warn"}
    no_key(home)
    ill = await asyncio.to_thread(terminal, "doctor")
    assert ill.code == 1
    assert "wrong  server key" in ill.out
    assert ill.err.count("\n") == 1


@pytest.mark.parametrize(
    ("hours", "state", "line"),
    [
        (23, State.OK, "1 wait at Twilio to be erased, the oldest since 23 hours"),
        (25, State.WARN, "the oldest since 25 hours; is the token still good?"),
    ],
)
async def test_copies_that_wait_at_twilio_are_told(home, hours, state, line):
    assert said(await examine(), "copies") == [
        (State.OK, "no copy waits at Twilio to be erased")
    ]
    store = Database(f"sqlite:///{home / 'kentongan.db'}")
    with store.writing() as session:
        copy = {"channel": "sms", "id": "SM1"}
        put = utc_now() - timedelta(hours=hours, minutes=1)
        jobs.put(session, ServerKeys.new(), JobKind.ERASE, copy, now=put)
    store.close()
    ((found, says),) = said(await examine(), "copies")
    assert found is state
    assert line in says


@pytest.mark.parametrize(
    ("address", "heard", "state", "line"),
    [
        ("", False, State.OK, "none is set up"),
        ("/run/clamd.ctl", True, State.OK, "/run/clamd.ctl answers"),
        ("/run/clamd.ctl", False, State.WRONG, "files wait for it"),
    ],
)
async def test_the_scanner_is_asked(monkeypatch, address, heard, state, line):
    monkeypatch.setattr(clamav, "answers", lambda _: heard)
    ((found, says),) = said(await examine(FILES__CLAMAV=address), "scanner")
    assert found is state
    assert line in says


async def test_a_bucket_that_is_away_is_said(monkeypatch, bucket):
    monkeypatch.setattr(buckets, "TRIES", 0)
    section = {f"BUCKET__{name.upper()}": one for name, one in bucket.section.items()}
    assert State.OK in {found for found, _ in said(await examine(**section), "files")}
    section["BUCKET__NAME"] = "nobody-made-this"
    wrong = [
        says
        for found, says in said(await examine(**section), "files")
        if found is State.WRONG
    ]
    assert wrong == ["The blob store does not answer, or refuses us; try again later."]


@pytest.mark.parametrize(("barred", "state"), [(True, State.OK), (False, State.WARN)])
async def test_how_files_are_opened_is_said(monkeypatch, barred, state):
    monkeypatch.setattr(converter, "bars_files", lambda: barred)
    ((found, says),) = said(await examine(), "sandbox")
    assert found is state
    assert "Landlock" in says


@pytest.mark.parametrize(("path", "state"), [("/usr/bin", State.OK), ("", State.WARN)])
async def test_that_ffmpeg_is_missing_is_said(monkeypatch, path, state):
    here = "/usr/bin/ffmpeg"
    monkeypatch.setattr(shutil, "which", lambda _: here if path else None)
    ((found, _),) = said(await examine(), "ffmpeg")
    assert found is state
