"""A Bot API server of our own: files from its folder and from nowhere else."""

import os

import pytest

from bot.channels import base, limits
from bot.channels.local_files import open_local
from bot.channels.telegram import Telegram
from tests.conftest import NOW

BODY = os.urandom(200_000)


async def read(folder, told, most=limits.TELEGRAM_LOCAL.file_bytes):
    async with open_local(folder, str(told), most) as download:
        return b"".join([piece async for piece in download.chunks])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "server"
    made.mkdir()
    (tmp_path / "outside").write_bytes(b"not yours")
    return made


async def test_a_file_comes_whole_and_its_copy_goes(folder):
    place = folder / "videos" / "file_1.mp4"
    place.parent.mkdir()
    place.write_bytes(BODY)
    assert await read(folder, place) == BODY
    assert not place.exists()


async def test_a_copy_stays_while_it_was_not_read(folder):
    place = folder / "file_1.mp4"
    place.write_bytes(BODY)
    with pytest.raises(RuntimeError):
        async with open_local(folder, str(place), 1 << 20):
            raise RuntimeError
    assert place.exists()


@pytest.mark.parametrize(
    "told", ["../outside", "/etc/passwd", "link", "a/../../outside"]
)
async def test_nothing_outside_the_folder_is_opened(folder, told):
    (folder / "a").mkdir()
    (folder / "link").symlink_to(folder.parent / "outside")
    with pytest.raises(base.Never) as refused:
        await read(folder, told if told.startswith("/") else folder / told)
    assert refused.value.code == "file.address"
    assert (folder.parent / "outside").exists()


async def test_a_pipe_or_a_folder_is_no_file(folder):
    os.mkfifo(folder / "pipe")
    (folder / "deep").mkdir()
    for name in ("pipe", "deep"):
        with pytest.raises(base.Never):
            await read(folder, folder / name)


async def test_a_file_that_is_not_there_yet_is_tried_again(folder):
    with pytest.raises(base.Away):
        await read(folder, folder / "soon.mp4")


async def test_too_large_is_said(folder):
    (folder / "large").write_bytes(BODY)
    with pytest.raises(base.Never) as refused:
        await read(folder, folder / "large", most=100)
    assert refused.value.code == "file.size"


@pytest.mark.parametrize(("local", "refused"), [(False, "X04"), (True, "")])
def test_one_setting_lifts_the_limit(tmp_path, local, refused):
    folder = str(tmp_path) if local else ""
    api = "http://127.0.0.1:9/bot"
    telegram = Telegram("1:abc", api_base_url=api, local_files=folder)
    chat = {"id": 5, "type": "private"}
    video = {"file_id": "v", "file_size": 100 << 20}
    message = {"message_id": 1, "chat": chat, "from": chat, "date": 1, "video": video}
    (incoming,) = telegram.parse({"update_id": 1, "message": message}, now=NOW)
    assert incoming.media[0].refused == refused
