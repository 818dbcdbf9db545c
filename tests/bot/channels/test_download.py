"""Files come from the provider only, bounded, and our login goes to it alone."""

import asyncio
import socket

import httpx
import pytest

from bot.channels import base
from bot.channels.download import Source
from tests.support.scripted import Answer, provider

LOGIN = ("AC0", "secret")


@pytest.fixture
async def server():
    async with provider() as made:
        yield made


@pytest.fixture
async def other():
    async with provider() as made:
        yield made


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


def source(client, *addresses, limit=100):
    hosts = ("twiliocdn.com",)
    return Source(client, addresses, limit, hosts=hosts, login=LOGIN)


async def read(opened):
    async with opened as (kind, chunks):
        return kind, b"".join([chunk async for chunk in chunks])


def redirect(url):
    return Answer(307, b"", {"location": url})


async def test_the_login_is_shown_to_the_provider_but_not_after_a_redirect(
    client, server, other
):
    server.answers = [redirect(f"{other.url}/cdn")]
    other.answers = [Answer(body=b"abc", headers={"content-type": "IMAGE/PNG"})]
    opened = source(client, server.url, other.url).open(f"{server.url}/media")
    assert await read(opened) == ("image/png", b"abc")
    assert "authorization" in server.asked[0].headers
    assert {one.asked[0].headers["accept-encoding"] for one in (server, other)} == {
        "identity"
    }
    assert "authorization" not in other.asked[0].headers


async def test_a_relative_redirect(client, server):
    server.answers = [redirect("/there"), Answer(body=b"abc")]
    opened = source(client, server.url).open(f"{server.url}/here")
    assert (await read(opened))[1] == b"abc"
    assert [asked.path for asked in server.asked] == ["/here", "/there"]
    assert "authorization" not in server.asked[1].headers


async def test_redirects_come_to_an_end(client, server):
    server.answers = [redirect("/round")]
    with pytest.raises(base.Never, match=r"\[file.redirects\]"):
        await read(source(client, server.url).open(f"{server.url}/round"))
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a",
        "https://twiliocdn.com.evil.example/a",
        "https://eviltwiliocdn.com/a",
        "http://mms.twiliocdn.com/a",
        "http://127.0.0.1:1/a",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "nonsense",
        "",
        "https://[",
        "https://mms.twiliocdn.com:70000/a",
    ],
)
async def test_other_addresses_are_never_asked(client, server, url):
    with pytest.raises(base.Never, match=r"\[file.address\]"):
        await read(source(client, server.url).open(url))
    if "//" in url:
        server.answers = [redirect(url)]
        with pytest.raises(base.Never, match=r"\[file.address\]"):
            await read(source(client, server.url).open(f"{server.url}/media"))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "::1", "169.254.169.254"])
async def test_a_providers_name_that_leads_inside_is_refused(
    client, server, monkeypatch, address
):
    async def resolve(*_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(base.Never, match=r"\[file.address\]"):
        await read(source(client, server.url).open("https://mms.twiliocdn.com/a"))


async def test_a_name_that_cannot_be_resolved_may_be_later(client, server, monkeypatch):
    async def resolve(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(base.Later, match=r"\[file.lost\]"):
        await read(source(client, server.url).open("https://mms.twiliocdn.com/a"))


async def test_a_file_that_says_it_is_too_big(client, server):
    server.answers = [Answer(body=b"x" * 101)]
    with pytest.raises(base.Never, match=r"\[file.size\]"):
        await read(source(client, server.url).open(f"{server.url}/a"))


async def test_a_file_that_grows_too_big(client, server):
    chunks = b"80\r\n" + b"x" * 128 + b"\r\n0\r\n\r\n"
    server.answers = [Answer(body=chunks, headers={"transfer-encoding": "chunked"})]
    with pytest.raises(base.Never, match=r"\[file.size\]"):
        await read(source(client, server.url).open(f"{server.url}/a"))


@pytest.mark.parametrize(
    ("answer", "policy", "code"),
    [
        (Answer(410), base.Never, "file.410"),
        (Answer(401), base.Later, "file.401"),
        (Answer(500), base.Later, "file.500"),
        (
            Answer(body=b"x", headers={"content-length": "9"}, cut=True),
            base.Away,
            "file.lost",
        ),
    ],
)
async def test_a_file_that_does_not_come(client, server, answer, policy, code):
    server.answers = [answer]
    with pytest.raises(base.SendError) as caught:
        await read(source(client, server.url).open(server.url))
    assert (type(caught.value), caught.value.code) == (policy, code)


@pytest.mark.parametrize("fault", [OSError("disk full"), ValueError("x")])
async def test_the_readers_own_fault_stays_its_own(client, server, fault):
    server.answers = [Answer(body=b"abc")]
    with pytest.raises(type(fault), match=str(fault)):
        async with source(client, server.url).open(server.url):
            raise fault
