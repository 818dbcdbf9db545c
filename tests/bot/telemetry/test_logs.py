"""Nothing that a person wrote reaches the log, whoever tries to write it there."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings

import httpx
import pytest
import sqlalchemy
import telegram
from telegram.request import HTTPXRequest
from twilio.rest import Client  # type: ignore[import-untyped] # it ships no types

from bot.telemetry import log_fields, logs
from handlers.messages import Kind
from storage.words import Channel
from tests.support.listening import listening

MARK = "marked-Budi-081234567890"
SECRET_TOKEN = f"123456:{MARK}"


@pytest.fixture
def log():
    """Configure the log into a string at DEBUG, and put everything back afterwards."""
    loggers = [logging.getLogger(), *_known_loggers()]
    before = [(each, each.handlers, each.level, each.propagate) for each in loggers]
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    stream = io.StringIO()
    logs.configure(form="json", level="debug", stream=stream)
    log_fields.be_strict()
    yield stream
    log_fields.be_strict(strict=False)
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for each, handlers, level, propagate in before:
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def _known_loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [each for each in known if isinstance(each, logging.Logger)]


def _fail() -> None:
    raise ValueError(MARK)


def _lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_event_is_one_line_of_typed_fields(log):
    logs.event("case.taken", officer="0f" * 16, seconds=0.12345, kind=Kind.TEXT)
    (line,) = _lines(log)
    assert line.pop("timestamp")
    assert line == {
        "level": "info",
        "event": "case.taken",
        "officer": "0f" * 16,
        "seconds": 0.123,
        "kind": "text",
    }


def test_the_console_form_reads_well(log):
    stream = io.StringIO()
    logs.configure(form="console", level="info", stream=stream)
    logs.event("loop.started", loop="delivery", count=2)
    logs.event("loop.quiet", level="debug")
    assert stream.getvalue().endswith(
        "[info     ] loop.started count=2 loop=delivery\n"
    )
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"text": MARK},
        {"name": "Budi"},
        {"officer": MARK},
        {"officer": 12345678},
        {"state": "Budi"},
        {"channel": MARK},
        {"code": 81234567890},
        {"count": 81234567},
        {"count": True},
        {"seconds": "12"},
        {"seconds": float("nan")},
        {"error": MARK},
        {"error": str},
        {"where": "x"},
        {"text": None},
    ],
    ids=str,
)
def test_other_fields_are_refused_in_tests_and_left_out_in_production(fields, log):
    with pytest.raises(log_fields.Refused):
        logs.event("loop.started", **fields)
    assert log.getvalue() == ""
    log_fields.be_strict(strict=False)
    logs.event("loop.started", **fields, waiting=1)
    (line,) = _lines(log)
    assert set(line) == {"timestamp", "level", "event", "waiting"}


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"channel": Channel.SMS}, "sms"),
        ({"channel": "sms"}, "sms"),
        ({"officer": None}, None),
        ({"code": 21610}, 21610),
        ({"error": ValueError(MARK)}, "ValueError"),
        ({"error": httpx.ReadTimeout}, "httpx.ReadTimeout"),
    ],
    ids=str,
)
def test_values_that_may_be_written(fields, written, log):
    logs.event("loop.started", **fields)
    (line,) = _lines(log)
    assert list(line.values())[3:] == [written]


@pytest.mark.parametrize(
    "name", ["", "loop", f"loop.{MARK}", "Loop.Started", "loop started"]
)
def test_an_event_needs_a_plain_name(name, log):
    with pytest.raises(log_fields.Refused):
        logs.event(name)
    log_fields.be_strict(strict=False)
    logs.event(name)
    logs.failure(name, ValueError())
    assert log.getvalue() == ""


def test_what_reporters_do_is_logged_only_when_wrong_and_without_ids(log):
    with pytest.raises(log_fields.Refused, match="counted, not logged"):
        logs.event("incoming.taken", channel=Channel.SMS)
    with pytest.raises(log_fields.Refused):
        logs.event("delivery.failed", level="warning", unit="0f" * 16)
    log_fields.be_strict(strict=False)
    logs.event("incoming.taken", channel=Channel.SMS)
    assert log.getvalue() == ""
    logs.event("delivery.failed", level="warning", code=21610, unit="0f" * 16)
    (line,) = _lines(log)
    assert "unit" not in line
    assert line["code"] == 21610


def test_an_event_reads_as_text_where_another_handler_shows_it():
    assert str(logs.Event("loop.started", {"count": 2})) == "loop.started count=2"


@pytest.mark.parametrize("level", [30, 40, 50])
@pytest.mark.parametrize(
    "name",
    [
        "sqlalchemy.engine",
        "asyncio",
        "root",
    ],
)
def test_a_library_is_heard_by_name_level_and_exception_class_only(name, level, log):
    root = logging.getLogger()
    root.setLevel(1)
    # pytest listens as well, and would fail to format what is broken on purpose.
    root.handlers = [
        each for each in root.handlers if type(each).__module__ == "bot.telemetry.logs"
    ]
    logger = root if name == "root" else logging.getLogger(name)
    logger.setLevel(1)
    try:
        _fail()
    except ValueError:
        logger.log(level, "%s", MARK, exc_info=True, stack_info=True, extra={"x": MARK})
    logger.log(level, "broken %d %s", MARK)
    first, second = _lines(log)
    assert first["logger"] == name
    assert first["error"] == "ValueError"
    assert set(first) == {"timestamp", "level", "event", "logger", "error"}
    assert set(second) == {"timestamp", "level", "event", "logger"}
    assert MARK not in log.getvalue()


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_are_quiet_below_warning_at_any_level(level):
    root = logging.getLogger()
    before = (
        root.handlers,
        root.level,
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
    )
    stream = io.StringIO()
    try:
        logs.configure(form="json", level=level, stream=stream)
        logging.getLogger("some.library").setLevel(logging.DEBUG)
        logging.getLogger("some.library").info(MARK)
        logging.getLogger("some.library").warning(MARK)
    finally:
        logging.captureWarnings(capture=False)
        root.handlers, root.level = before[:2]
        sys.excepthook, sys.unraisablehook, threading.excepthook = before[2:]
    assert [line["level"] for line in _lines(stream)] == ["warning"]


async def _answer_badly(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Play a provider that echoes what it got, in a broken answer."""
    request = await reader.readuntil(b"\r\n\r\n")
    body = b"<not json> " + request
    writer.write(
        b"HTTP/1.1 500 Broken\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("level", [5, 10, 20, 30, 40, 50])
@pytest.mark.parametrize("name", ["httpx", "telegram.ext", "twilio.http_client"])
def test_what_asks_a_provider_is_never_heard(name, level, log):
    logger = logging.getLogger(name)
    logger.setLevel(1)
    logger.log(level, "%s", MARK)
    assert log.getvalue() == ""


async def test_real_libraries_at_debug_with_a_broken_provider_leak_nothing(log):
    for name in ("httpx", "httpcore", "telegram", "twilio", "sqlalchemy", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    async with listening(_answer_badly) as port, httpx.AsyncClient() as client:
        address = f"http://127.0.0.1:{port}"
        asked = HTTPXRequest()
        bot = telegram.Bot(SECRET_TOKEN, base_url=f"{address}/bot", request=asked)
        with pytest.raises(telegram.error.TelegramError) as refused:
            await bot.send_message(chat_id=81234567890, text=MARK)
        logs.failure("delivery.failed", refused.value)
        await client.get(f"{address}/{MARK}", params={"To": MARK})
    engine = sqlalchemy.create_engine("sqlite://")
    with (
        engine.connect() as connection,
        pytest.raises(sqlalchemy.exc.DBAPIError) as failed,
    ):
        connection.execute(sqlalchemy.text("select :mark from nowhere"), {"mark": MARK})
    logs.failure("store.failed", failed.value)
    engine.dispose()
    heard = {str(line.get("logger", "")).partition(".")[0] for line in _lines(log)}
    assert heard == {""}, "a request's second is a reporter's act"
    assert "81234567890" not in log.getvalue()
    assert MARK not in log.getvalue()


def test_twilio_tells_recipients_to_its_log_but_not_to_ours(log):
    client = Client("AC0123", MARK)
    client.http_client.log_request(
        {
            "method": "POST",
            "url": f"https://x/{MARK}",
            "params": {"To": MARK},
            "headers": {},
        }
    )
    assert log.getvalue() == ""


def test_a_failure_names_classes_and_our_own_lines(log):
    try:
        try:
            log_fields.be_strict()
            logs.event("no-name")
        except log_fields.Refused as refused:
            raise KeyError(MARK) from refused
    except KeyError as error:
        logs.failure("verb.failed", error, attempt=2)
    (line,) = _lines(log)
    assert line["error"] == "KeyError"
    assert line["causes"] == ["bot.telemetry.log_fields.Refused"]
    assert line["attempt"] == 2
    assert line["level"] == "error"
    where = line["where"]
    assert isinstance(where, list)
    assert [place.partition(":")[0] for place in where] == [
        "bot/telemetry/logs.py",
        "bot/telemetry/log_fields.py",
        "bot/telemetry/log_fields.py",
    ]
    assert MARK not in log.getvalue()


def test_groups_and_circles_of_exceptions_end(log):
    first, second = ValueError(MARK), TypeError(MARK)
    first.__context__, second.__cause__ = second, first
    logs.failure("task.failed", ExceptionGroup(MARK, [first, OSError(MARK)]))
    (line,) = _lines(log)
    assert line["error"] == "ExceptionGroup"
    assert line["causes"] == ["ValueError", "TypeError", "OSError"]


def test_uncaught_exceptions_are_logged_without_values(log, capfd):
    try:
        _fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    thread = threading.Thread(target=_fail, name=MARK)
    thread.start()
    thread.join()
    assert [line["event"] for line in _lines(log)] == [
        "process.failed",
        "thread.failed",
    ]
    assert MARK not in log.getvalue() + "".join(capfd.readouterr())


def test_what_fails_while_being_cleaned_up_is_logged_without_values(log, capfd):
    class Careless:
        def __del__(self) -> None:
            _fail()

    Careless()
    assert [line["event"] for line in _lines(log)] == ["cleanup.failed"]
    assert MARK not in log.getvalue() + "".join(capfd.readouterr())


async def test_what_no_task_caught_is_logged_without_values(log):
    loop = asyncio.get_running_loop()
    logs.watch(loop)
    loop.call_soon(_fail)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    loop.call_exception_handler({"message": MARK})
    first, second = (line for line in _lines(log) if line["event"] == "task.failed")
    assert first["error"] == "ValueError"
    assert set(second) == {"timestamp", "level", "event"}
    assert MARK not in log.getvalue()


def test_warnings_go_to_the_log_by_name_only(log):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(MARK, UserWarning, stacklevel=1)
    assert [line["logger"] for line in _lines(log)] == ["py.warnings"]
    assert MARK not in log.getvalue()


def test_handlers_that_libraries_brought_along_are_taken_away():
    own = logging.getLogger("chatty.library")
    own.handlers, own.propagate = [logging.StreamHandler()], False
    root = logging.getLogger()
    before = (
        root.handlers,
        root.level,
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
    )
    try:
        logs.configure(form="json", level="info")
        assert own.handlers == []
        assert own.propagate
    finally:
        logging.captureWarnings(capture=False)
        root.handlers, root.level = before[:2]
        sys.excepthook, sys.unraisablehook, threading.excepthook = before[2:]


def test_a_log_that_cannot_be_written_stops_nothing(log):
    log.close()
    logs.event("loop.started", loop="delivery")
