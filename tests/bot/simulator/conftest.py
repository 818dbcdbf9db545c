"""Calls as the bot makes them; a bot that listens on loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.specs.conformance import check_answer
from tests.support.listener import Listener
from tests.support.listening import listening
from tests.support.phones import PLAIN, Simulator


@dataclass
class Api:
    """Calls as the bot makes them; every good answer is held against the digest."""

    simulator: Simulator
    client: httpx.AsyncClient

    @property
    def base(self) -> str:
        return f"{self.simulator.url}/bot{self.simulator.settings['telegram_token']}"

    @property
    def auth(self) -> tuple[str, str]:
        settings = self.simulator.settings
        return settings["account_sid"], settings["auth_token"]

    @property
    def messages(self) -> str:
        return f"{self.simulator.url}/2010-04-01/Accounts/{self.auth[0]}/Messages"

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A Bot API call by JSON."""
        answer = await self.client.post(f"{self.base}/{method}", json=params)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == (200 if found["ok"] else found["error_code"])
        if found["ok"]:
            assert check_answer("telegram", method, found) == []
        return found

    async def call_raw(self, method: str, **params: Any) -> dict[str, Any]:
        """A Bot API call whose answer may hold what the spec does not know."""
        answer = await self.client.post(f"{self.base}/{method}", json=params)
        found: dict[str, Any] = answer.json()
        return found

    async def result(self, method: str, **params: Any) -> Any:
        found = await self.call(method, **params)
        assert found["ok"], found
        return found["result"]

    async def send(self, to: str, body: str, **params: str) -> httpx.Response:
        """A Twilio message."""
        whatsapp = to.startswith("whatsapp:")
        number = self.simulator.settings[
            "whatsapp_number" if whatsapp else "sms_number"
        ]
        sender = f"whatsapp:{number}" if whatsapp else number
        given = {"To": to, "From": sender} | ({"Body": body} if body else {}) | params
        answer = await self.client.post(
            f"{self.messages}.json", auth=self.auth, data=given
        )
        if answer.is_success:
            assert check_answer("twilio", "create", answer.json()) == []
        return answer

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(
            f"{self.messages}{path}", auth=self.auth, params=params
        )


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(trust_env=False, timeout=30, verify=PLAIN) as client:
        yield Api(simulator, client)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    async with listening(listener.serve) as listener.port:
        yield listener
