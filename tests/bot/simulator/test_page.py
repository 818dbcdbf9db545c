"""The page: complete without a script, escaped, and strict about where things come from."""

import re

import pytest

from tests.support.phones import Refused

SARI = 6281234501


async def page(simulator, query=""):
    answer = await simulator.client.get(f"/{query}")
    assert answer.status_code == 200
    return answer


async def test_the_page_shows_four_phones_under_a_strict_policy(simulator):
    answer = await page(simulator)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.text.count('class="frame"') == 4
    assert not re.search(r"<style|style=|<script>|\son\w+=", answer.text)
    assert set(re.findall(r'(?:src|href)="(https?://[^"]+)"', answer.text)) == set()


async def test_the_console_is_linked_when_it_is_known(simulator):
    await simulator.control("settings", console_url="http://127.0.0.1:1/console/")
    assert 'href="http://127.0.0.1:1/console/"' in (await page(simulator)).text
    await simulator.control("settings", console_url="javascript:alert(1)")
    assert "javascript:" not in (await page(simulator)).text


async def test_the_page_speaks_two_languages(simulator):
    assert '<html lang="id">' in (await page(simulator)).text
    english = (await page(simulator, "?lang=en")).text
    assert '<html lang="en">' in english
    assert "Try this" in english
    assert '<html lang="id">' in (await page(simulator, "?lang=xx")).text


async def test_texts_are_escaped_and_addresses_become_links(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("<script>alert('x')</script> \u202e\ud800")
    text = "a & b\nhttps://example.test/x?a=1&b=2. https://t.me/kentongan_demo_bot?start=abc"
    await api.result("sendMessage", chat_id=SARI, text=text)
    shown = (await page(simulator)).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    assert "a &amp; b\n" in shown
    assert '<a href="https://example.test/x?a=1&amp;b=2" target="_blank"' in shown
    assert 'form="open-telegram"' in shown


async def test_every_kind_of_line_is_shown(api, simulator):
    sari = simulator.phone("telegram")
    await sari.attach(("bukti.pdf", "application/pdf", b"x" * 2_000_000))
    await sari.share_location(-6.2, 106.8)
    await sari.say("salah ketik")
    await sari.edit("betul")
    await simulator.phone("sms").say("STOP")
    buttons = [
        {"text": "Ya", "callback_data": "1"},
        {"text": "Konsol", "url": "http://127.0.0.1/c"},
        {"text": "Salin", "copy_text": {"text": "7K3M"}},
    ]
    await api.result(
        "sendMessage",
        chat_id=SARI,
        text="?",
        reply_markup={"inline_keyboard": [buttons]},
    )
    pressed = await sari.press("Ya")
    await api.result(
        "answerCallbackQuery",
        callback_query_id=pressed["callback_query_id"],
        text="Baik",
    )
    own = (await sari.say("hapus ini"))["message_id"]
    await api.result("deleteMessage", chat_id=SARI, message_id=own)
    await simulator.new_phone("warga-2", "whatsapp")
    shown = (await page(simulator)).text
    for part in (
        "bukti.pdf",
        "1.9 MB",
        "⌖",
        "diedit",
        "Jawaban otomatis penyedia",
        "Ditekan: Ya · Baik",
        'data-copy="7K3M"',
        'href="http://127.0.0.1/c"',
        "Ponsel lain",
    ):
        assert part in shown
    assert "hapus ini" not in shown
    assert "dihapus" not in shown, "a deleted message leaves nothing behind"
    assert shown.count('class="frame"') == 5


async def test_how_a_webhook_went_is_shown(simulator, listener):
    await simulator.phone("sms").say("satu")
    assert "tidak sampai: no webhook is set" in (await page(simulator)).text
    await simulator.webhooks(sms=listener.url("/"))
    sms = simulator.phone("sms")
    await sms.say("dua")
    await sms.looks_until(lambda seen: "attempts" in seen["messages"][-1]["webhook"])
    shown = (await page(simulator)).text
    assert "✓✓" in shown
    assert 'aria-label="sampai ke bot"' in shown


async def test_a_form_sends_and_returns_to_the_page(api, simulator):
    fields = {"text": "dari\r\nhalaman", "lang": "en"}
    parts = [
        f'form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()
    ]
    # A browser sends a field without a chosen file as a file without a name.
    parts.append('form-data; name="file"; filename=""\r\nContent-Type: a/b\r\n\r\n')
    body = "".join(f"--xyz\r\nContent-Disposition: {part}\r\n" for part in parts)
    answer = await simulator.client.post(
        "/phones/telegram/send",
        content=f"{body}--xyz--\r\n".encode(),
        headers={"content-type": 'multipart/form-data; boundary="xyz"'},
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?lang=en#phone-telegram"
    (update,) = await api.result("getUpdates")
    assert update["message"]["text"] == "dari\nhalaman"


async def test_a_form_sends_several_files_unchanged(api, simulator):
    content = b"--x\r\n\r\n" + bytes(range(256)) + b"\r\n"
    files = [("file", ("a.bin", content, "application/x-a")), ("file", ("b.txt", b"b"))]
    answer = await simulator.client.post(
        "/phones/whatsapp/send",
        data={"text": ""},
        files=files,
        headers={"x-phones-script": "1"},
    )
    assert answer.status_code == 204
    (message,) = (await api.get(".json")).json()["messages"]
    media = (await api.get(f"/{message['sid']}/Media.json")).json()["media_list"]
    assert [entry["content_type"] for entry in media] == [
        "application/x-a",
        "text/plain",
    ]
    first = await api.client.get(
        f"{api.messages}/{message['sid']}/Media/{media[0]['sid']}",
        auth=api.auth,
        follow_redirects=True,
    )
    assert first.content == content


async def test_forms_press_and_open(api, simulator):
    await simulator.phone("telegram").say("hai")
    markup = {"inline_keyboard": [[{"text": "Ya", "callback_data": "1"}]]}
    sent = await api.result("sendMessage", chat_id=SARI, text="?", reply_markup=markup)
    given = {"message_id": sent["message_id"], "label": "Ya", "data": "1"}
    assert (
        await simulator.client.post("/phones/telegram/press", data=given)
    ).status_code == 303
    link = "https://t.me/kentongan_demo_bot?start=abc"
    await simulator.client.post("/phones/officer/open", data={"link": link})
    updates = await api.result("getUpdates")
    assert updates[1]["callback_query"]["data"] == "1"
    assert updates[2]["message"]["text"] == "/start abc"


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        ("officer/open", {"link": "https://evil.example/"}, "not a link"),
        ("nobody/send", {"text": "x"}, "no phone"),
        ("telegram/fly", {}, "cannot do this"),
        ("telegram/press", {"message_id": "9"}, "no such message"),
    ],
)
async def test_a_problem_is_shown_on_the_page(simulator, path, given, words):
    answer = await simulator.client.post(
        f"/phones/{path}", data=given, follow_redirects=True
    )
    assert words in answer.text
    quiet = await simulator.client.post(
        f"/phones/{path}", data=given, headers={"x-phones-script": "1"}
    )
    assert quiet.status_code == 409
    assert words in quiet.text


async def test_a_broken_form_is_a_problem_and_no_crash(simulator):
    answer = await simulator.client.post(
        "/phones/sms/send",
        content=b"x",
        headers={"content-type": "multipart/form-data"},
    )
    assert answer.status_code == 303


async def test_forms_of_other_sites_are_refused(simulator):
    answer = await simulator.client.post(
        "/phones/sms/send", data={"text": "x"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_parts_and_files_of_the_page(simulator):
    await simulator.phone("sms").say("hai")
    assert "hai" in (await simulator.client.get("/parts/sms")).text
    assert (await simulator.client.get("/parts/nobody")).status_code == 404
    for name, kind in (("phones.css", "text/css"), ("phones.js", "text/javascript")):
        answer = await simulator.client.get(f"/static/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert "http" not in re.sub(r"http://www.w3.org\S+", "", answer.text)
    assert (await simulator.client.get("/static/none")).status_code == 404


async def test_refusals_of_the_page_are_those_of_the_control_api(simulator):
    with pytest.raises(Refused, match="not a link"):
        await simulator.phone("officer").open("https://evil.example/")
