"""Real servers as processes of their own, killed as the kernel kills, behind one door."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.listening import accepted
from tests.support.phones import PLAIN
from tests.support.places import ROOT
from tests.support.serving import free_port

READY_SECONDS = 60.0
_DIE_WITH_PARENT = 1


@dataclass
class Server:
    """One incarnation of ``python -m bot serve``; all it says goes to ``log``."""

    number: int
    port: int
    log: Path
    process: asyncio.subprocess.Process
    most_memory: int = 0
    """The most it ever held, in kB."""

    @property
    def lives(self) -> bool:
        return self.process.returncode is None

    async def is_ready(self) -> None:
        """Wait until it answers."""
        async with (
            httpx.AsyncClient(trust_env=False, verify=PLAIN) as client,
            asyncio.timeout(READY_SECONDS),
        ):
            while True:
                if not self.lives:
                    raise AssertionError(
                        f"server ended: {self.log.read_text()[-2000:]}"
                    )
                try:
                    await client.get(f"http://127.0.0.1:{self.port}/healthz")
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                else:
                    return

    def signal(self, number: int) -> None:
        self.measure()
        os.killpg(self.process.pid, number)

    async def kill(self) -> None:
        """Kill it as the kernel does, and see it dead."""
        if self.lives:
            self.signal(signal.SIGKILL)
        await self.process.wait()

    async def end(self) -> int:
        """End it politely; return how it ended."""
        self.signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    def measure(self) -> None:
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return
        held = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
        self.most_memory = max([self.most_memory, *held])


@dataclass
class Machine:
    """Starts servers on one store; ``front`` sends everybody to those that live."""

    environ: Mapping[str, str]
    folder: Path
    front: "Front"
    command: tuple[str, ...] = ("-m", "bot", "serve")
    servers: list[Server] = field(default_factory=list)

    @property
    def living(self) -> list[Server]:
        return [server for server in self.servers if server.lives]

    async def start(self) -> Server:
        """Start one more server and let it be found once it answers."""
        number, port = len(self.servers) + 1, free_port()
        log = self.folder / f"server-{number:02}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.command,
                cwd=ROOT,
                env={**self._environ(), "KENTONGAN_SERVER__PORT": str(port)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        server = Server(number, port, log, process)
        self.servers.append(server)
        await server.is_ready()
        await self.front.opens_to(server.port)
        return server

    def _environ(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("KENTONGAN_")
        }
        return kept | dict(self.environ)

    async def kill(self, server: Server) -> None:
        await self.front.closes_to(server.port)
        await server.kill()

    async def clear(self) -> None:
        """Leave nothing behind."""
        await self.front.close()
        for server in self.servers:
            await server.kill()


class Front:
    """A balancer: connections go to the living servers in turn; none, no door."""

    def __init__(self) -> None:
        self.port = free_port()
        self.ports: list[int] = []
        self._turn = 0
        self._calls: set[asyncio.Task[None]] = set()
        self._door: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def opens_to(self, port: int) -> None:
        self.ports.append(port)
        if self._door is None:
            self._door = await asyncio.start_server(
                self._carry, "127.0.0.1", self.port, reuse_address=True
            )

    async def closes_to(self, port: int) -> None:
        if port in self.ports:
            self.ports.remove(port)
        if not self.ports:
            await self.close()

    async def close(self) -> None:
        door, self._door = self._door, None
        self.ports.clear()
        if door is not None:
            door.close()
            await accepted()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        self._turn += 1
        try:
            if not self.ports:
                return
            port = self.ports[self._turn % len(self.ports)]
            there, back = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
