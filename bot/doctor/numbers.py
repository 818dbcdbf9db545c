"""Checks of a number at Twilio: where its messages go, and how often Twilio tries.

Twilio gives all tries of one address 15 seconds together, and by default repeats only a
failed connection, once. The part behind ``#`` changes that; a second address doubles
it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urldefrag, urlsplit

from bot.doctor.findings import Finding, ok, warn, wrong

FRAGMENT = "ct=2000&rt=13000&tt=15000&rc=3&rp=ct,rt,5xx"
"""Our own patience with a store that is away is 10 s, 12 at most: ``rt`` is longer."""
LEAST_READ = 12_500
POLICIES = frozenset({"ct", "rt", "5xx"})
PATH = "/webhooks/twilio/sms"


def judge(number: Mapping[str, Any], door: str) -> Iterator[Finding]:
    """Compare a number's resource with what it should say; ``door`` is our address."""
    check, advice = "twilio sms", f"{door}#{FRAGMENT}"
    address, _ = urldefrag(str(number.get("sms_url") or ""))
    if number.get("sms_application_sid"):
        yield warn(
            check,
            f"an application answers it; remove it, or let it post to {advice}",
        )
        return
    if address != door:
        yield wrong(
            check, f"messages go elsewhere; let the number post them to {advice}"
        )
        return
    if number.get("sms_method") != "POST":
        yield wrong(check, "messages are sent by GET; choose HTTP POST for the number")
        return
    problems = [
        *_stubbornness(str(number["sms_url"]), advice),
        *_fallback(number, advice),
    ]
    yield from (warn(check, problem) for problem in problems)
    if not problems:
        yield ok(check, f"messages are posted to {door}, with repeats and a fallback")


def services(messages: Iterable[object], numbers: Iterable[str]) -> Iterator[Finding]:
    """Look whether a Messaging Service stands between a number and us."""
    ours = set(numbers)
    for one in messages:
        if not isinstance(one, dict) or one.get("direction") != "inbound":
            continue
        service = one.get("messaging_service_sid")
        if service and str(one.get("to", "")).removeprefix("whatsapp:") in ours:
            yield warn(
                "twilio service",
                f"Messaging Service {str(service)[:34]} answers a number; choose "
                '"Defer to sender\'s webhook" under its Integration',
            )
            return


def _stubbornness(address: str, advice: str) -> Iterator[str]:
    given = {
        name: values[-1]
        for name, values in parse_qs(urlsplit(address).fragment).items()
    }
    policy = set(given.get("rp", "ct").split(","))
    stubborn = policy >= POLICIES or "all" in policy
    if not stubborn or not _count(given.get("rc", "1")):
        yield f"after an error of ours Twilio gives up at once; write {advice}"
    if _count(given.get("rt", "15000")) < LEAST_READ:
        yield f"rt is shorter than we try to save a message; write {advice}"


def _fallback(number: Mapping[str, Any], advice: str) -> Iterator[str]:
    address, _ = urldefrag(str(number.get("sms_fallback_url") or ""))
    if not address:
        yield f'no fallback; under "Primary handler fails" write {advice}'
    elif not address.endswith(PATH):
        yield f"the fallback is no door of ours; write {advice}"
    elif number.get("sms_fallback_method") != "POST":
        yield "the fallback is called by GET; choose HTTP POST for it"


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
