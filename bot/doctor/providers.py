"""Checks at the providers: whether they know us and call the right address.

Addresses hold the bot's token, so an error is shown by its class alone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from bot.doctor import numbers as doctor_numbers
from bot.doctor.findings import Finding, Patient, ok, warn, wrong
from bot.settings.values import is_loopback

SECONDS = 4.0
CLOCK_TOLERANCE = timedelta(seconds=30)
MANY_WAITING = 100
RECENT = timedelta(hours=1)
_WANTED_UPDATES = frozenset({"message", "edited_message", "callback_query"})


class NoAnswer(Exception):
    """The provider does not answer; check the network, the proxy and the address."""


def telegram(patient: Patient) -> Iterator[Finding]:
    """Try the token; compare the webhook with the settings, and the clocks."""
    settings = patient.settings.telegram
    if not settings.token:
        yield ok("telegram", "not set up")
        return
    base = f"{settings.api_base_url}{settings.token.get_secret_value()}"
    try:
        answer = _get(f"{base}/getMe")
    except NoAnswer as error:
        yield wrong("telegram", f"does not answer ({error}); check network and proxy")
        return
    yield from _clock("telegram", answer, patient)
    me = _json(answer).get("result")
    if not answer.is_success or not isinstance(me, dict):
        yield wrong(
            "telegram", _refusal(answer, "telegram.token, copy it from @BotFather")
        )
        return
    yield ok("telegram", f"the token is good, the bot is @{me.get('username')}")
    if me.get("can_join_groups"):
        yield warn(
            "telegram groups", "send /setjoingroups to @BotFather and disable it"
        )
    if me.get("can_read_all_group_messages"):
        yield warn("telegram groups", "send /setprivacy to @BotFather and enable it")
    try:
        told = _json(_get(f"{base}/getWebhookInfo")).get("result")
    except NoAnswer as error:
        yield warn("telegram webhook", f"could not be read ({error}); try again")
        return
    yield from _webhook(told if isinstance(told, dict) else {}, patient)


def twilio(patient: Patient) -> Iterator[Finding]:
    """Try the credentials; look whether the number calls our door."""
    settings = patient.settings.twilio
    if not settings.account_sid:
        yield ok("twilio", "not set up")
        return
    try:
        answer = _twilio(patient, "Messages.json", {"PageSize": "20"})
    except NoAnswer as error:
        yield wrong("twilio", f"does not answer ({error}); check network and proxy")
        return
    yield from _clock("twilio", answer, patient)
    if not answer.is_success:
        yield wrong(
            "twilio", _refusal(answer, "twilio.account_sid and twilio.auth_token")
        )
        return
    yield ok("twilio", "account and token are good")
    numbers = [settings.sms_number, settings.whatsapp_number]
    yield from doctor_numbers.services(_json(answer).get("messages") or (), numbers)
    if settings.previous_auth_token:
        yield warn(
            "twilio token",
            "two tokens are accepted; remove twilio.previous_auth_token once the change is over",
        )
    if settings.sms_number:
        yield from _number(patient, settings.sms_number)
    if settings.whatsapp_number:
        door = f"{patient.settings.server.public_url}/webhooks/twilio/whatsapp"
        advice = f"{door}#{doctor_numbers.FRAGMENT}"
        yield ok(
            "twilio whatsapp",
            f"look in Twilio's console: webhook and fallback of the sender must be {advice}",
        )
        yield from _templates(patient)


def _templates(patient: Patient) -> Iterator[Finding]:
    """Look whether people can be told news a day after they wrote, in every language."""
    check, known = "twilio templates", patient.settings.twilio.templates
    missing = [
        language
        for language in patient.settings.agency.languages
        if not (language in known and known[language].news)
    ]
    if not missing:
        yield ok(check, "news in every language")
        return
    names = ", ".join(f"twilio.templates.{language}.news" for language in missing)
    yield warn(
        check,
        f"set {names}: without it nobody is told news a day after they last wrote",
    )


def _webhook(told: dict[str, Any], patient: Patient) -> Iterator[Finding]:
    """Compare what Telegram calls with what the settings say."""
    check = "telegram webhook"
    registered = str(told.get("url") or "")
    door = f"{patient.settings.server.public_url}/webhooks/telegram"
    polling = patient.settings.telegram.mode == "polling"
    problems = list(_webhook_problems(told, patient))
    if polling and registered:
        problems.append(
            "one is registered while we poll: `serve` removes it; stop the program that set it"
        )
    yield from (warn(check, problem) for problem in problems)
    if not polling and not registered:
        yield wrong(check, f"none is registered; `kentongan serve` registers {door}")
    elif not polling and registered != door:
        yield wrong(
            check, f"another one is registered; `kentongan serve` registers {door}"
        )
    elif not problems:
        yield ok(check, "none, we poll" if polling else f"{door} is registered")


def _webhook_problems(told: dict[str, Any], patient: Patient) -> Iterator[str]:
    waiting = int(told.get("pending_update_count") or 0)
    if waiting > MANY_WAITING:
        yield f"{waiting} updates wait at Telegram; is `kentongan serve` running?"
    failed = told.get("last_error_date")
    if told.get("url") and failed:
        when = datetime.fromtimestamp(int(failed), UTC)
        if patient.now - when < RECENT:
            said = str(told.get("last_error_message") or "no reason")[:80]
            yield f"Telegram failed to call us at {when:%H:%M} UTC: {said}"
    allowed = told.get("allowed_updates")
    if told.get("url") and allowed and not set(allowed) >= _WANTED_UPDATES:
        yield "Telegram sends only some kinds of updates; start `kentongan serve` again"


def _number(patient: Patient, number: str) -> Iterator[Finding]:
    """Look up where a number's messages go; some accounts cannot be asked."""
    check = "twilio sms"
    door = f"{patient.settings.server.public_url}/webhooks/twilio/sms"
    try:
        answer = _twilio(patient, "IncomingPhoneNumbers.json", {"PhoneNumber": number})
    except NoAnswer as error:
        yield warn(check, f"could not be read ({error}); try again")
        return
    listed = _json(answer).get("incoming_phone_numbers")
    if not answer.is_success or not isinstance(listed, list):
        yield warn(check, f"cannot be read; its messages must be posted to {door}")
        return
    if not listed:
        yield wrong(
            check, f"{number} is not in this account; correct twilio.sms_number"
        )
        return
    yield from doctor_numbers.judge(listed[0], door)


def _clock(check: str, answer: httpx.Response, patient: Patient) -> Iterator[Finding]:
    """Compare our clock with the provider's."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return
    # The clock was read before the question; the answer's way belongs to the tolerance.
    apart = abs(theirs - patient.now - answer.elapsed)
    if apart > CLOCK_TOLERANCE:
        seconds = int(apart.total_seconds())
        yield wrong(
            "clock", f"{seconds} s from {check}'s; set it with NTP (timedatectl)"
        )
    else:
        yield ok("clock", f"agrees with {check}'s")


def _twilio(patient: Patient, what: str, query: dict[str, str]) -> httpx.Response:
    settings = patient.settings.twilio
    sid = settings.account_sid
    url = f"{settings.api_base_url}/2010-04-01/Accounts/{sid}/{what}"
    return _get(url, query, (sid, settings.auth_token.get_secret_value()))


def _get(
    url: str, query: dict[str, str] | None = None, login: tuple[str, str] | None = None
) -> httpx.Response:
    """Ask once. Raises NoAnswer with the class of what happened."""
    try:
        local = is_loopback(httpx.URL(url).host)
        return httpx.get(
            url, params=query, auth=login, timeout=SECONDS, trust_env=not local
        )
    except httpx.HTTPError as error:
        raise NoAnswer(type(error).__name__) from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(answer: httpx.Response, key: str) -> str:
    refused = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    if answer.status_code in refused:
        return f"does not accept us ({answer.status_code}); correct {key}"
    return f"answers {answer.status_code}; try again later"


LOOKS = (("telegram", telegram), ("twilio", twilio))
"""Every check of this file, by the name under which its failure is told."""
