"""What Twilio holds: the messages to a number of ours, page by page, and their files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from bot.channels import base
from bot.channels.twilio import Transport

PAGE = 100
_STRANGE = (
    *(AttributeError, LookupError, OverflowError),
    *(RecursionError, TypeError, ValueError),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A message to us as its resource tells it; ``sent`` is UTC, in whole seconds."""

    sid: str = field(repr=False)
    sender: str = field(repr=False)
    to: str
    text: str = field(repr=False)
    sent: datetime
    files: int


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first; ``following`` names the next page, "" after the last.

    ``told`` is the provider's own clock as it answered, None where it told none.
    """

    messages: tuple[Listed, ...]
    following: str
    told: datetime | None


class Listing:
    """Reads Twilio's lists of messages."""

    def __init__(self, *, account_sid: str, auth_token: str, api_base_url: str) -> None:
        self._transport = Transport(api_base_url)
        self._login = (account_sid, auth_token)
        self._root = f"/2010-04-01/Accounts/{account_sid}/Messages"

    async def first(
        self, to: str, since: datetime, until: datetime | None = None
    ) -> Page:
        """Return the newest messages to an address of ours, sent between two moments.

        Raises a ``SendError``; also for an answer that cannot be read.
        """
        query = {"To": to, "DateSent>": _iso(since), "PageSize": str(PAGE)}
        if until is not None:
            query["DateSent<"] = _iso(until)
        return await self._page(f"{self._root}.json?{urlencode(query)}", to)

    async def following(self, page: Page, to: str) -> Page:
        """Return the page after one. Raises a ``SendError``."""
        return await self._page(page.following, to)

    async def form(self, message: Listed) -> bytes:
        """Return a message as the webhook would have told it. Raises a ``SendError``.

        What the resource lacks is missing: a WhatsApp person's other id, a button's data,
        a place.
        """
        form = {
            "MessageSid": message.sid,
            "From": message.sender,
            "To": message.to,
            "Body": message.text,
            "NumMedia": "0",
        }
        if message.files:
            found = await self._files(message.sid)
            form["NumMedia"] = str(len(found))
            for i, (address, kind) in enumerate(found):
                form |= {f"MediaUrl{i}": address, f"MediaContentType{i}": kind}
        return urlencode(form, errors="replace").encode("ascii")

    async def close(self) -> None:
        """Close connections."""
        await self._transport.web.aclose()

    async def _files(self, sid: str) -> list[tuple[str, str]]:
        place = f"{self._root}/{sid}/Media"
        try:
            told, _ = await self._get(f"{place}.json")
        except base.Never:
            return []  # gone: its words still count
        with _readable():
            return [
                (
                    f"{self._transport.base}{place}/{one['sid']}",
                    str(one.get("content_type") or ""),
                )
                for one in told["media_list"]
            ]

    async def _page(self, address: str, to: str) -> Page:
        told, clock = await self._get(address)
        with _readable():
            found = tuple(
                _listed(one)
                for one in told["messages"]
                if one["direction"] == "inbound" and one["to"] == to
            )
            return Page(found, str(told.get("next_page_uri") or ""), clock)

    async def _get(self, address: str) -> tuple[Mapping[str, Any], datetime | None]:
        with _readable():
            answer = await self._transport.request("GET", address, auth=self._login)
            told = json.loads(answer.text)
            if not isinstance(told, dict):
                raise TypeError
            return told, _clock(answer.headers or {})


class _readable:  # noqa: N801 - reads as a statement
    """Turn an answer of a strange shape into ``Later``."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, _STRANGE):
            raise base.Later("twilio.answer") from None


def _listed(one: Mapping[str, Any]) -> Listed:
    sent = parsedate_to_datetime(one["date_sent"] or one["date_created"])
    return Listed(
        sid=base.clean(str(one["sid"])),
        sender=str(one["from"]),
        to=str(one["to"]),
        text=str(one.get("body") or ""),
        sent=sent.astimezone(UTC),
        files=int(one.get("num_media") or 0),
    )


def _clock(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except _STRANGE:
        return None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
