"""Writes the seeds of the corpus that are no payloads: ``python -m tests.tools.fuzzing.seeds``.

What is sealed gets other bytes each time, so a file that is there stays: that an old one
still opens is part of the test.
"""

import base64
import io
import json
import struct
from datetime import date
from urllib.parse import urlencode

from handlers.conversation.memory import Memory, Sweep, Trail
from handlers.talk.state import State
from storage.backups import encoding
from storage.backups.records import RECORD, End, Head, Kind, TableHead, body_of
from storage.backups.writing import Writer
from storage.cases.items import Content
from storage.cases.reveals import Half, Request
from storage.crypto import sealing, server_key, streams
from storage.crypto.sealing import public_of
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters.letter import Letter
from storage.people import cookies
from storage.retention import tombstones
from storage.words import Channel, ItemKind, LetterKind
from tests.conftest import NOW
from tests.support import shapes
from tests.tools.fuzzing import doors
from tests.tools.fuzzing.formats import KEY, PLACE, PLAIN, RING, SECRET, STONE
from tests.tools.fuzzing.table import TARGETS

Seeds = dict[str, bytes]
ROW = (None, True, False, -7, "Jl. Merdeka\ud800", b"\0\xff", NOW, date(2026, 3, 2), "")
LISTED = {
    "messages": [
        {
            "sid": f"SM{n}", "from": "+15550001111", "to": "+15550006666", "direction": "inbound",
            "body": "LAPOR jalan rusak", "num_media": "1" if n else "0",
            "date_sent": "Sat, 21 Nov 2026 07:00:00 +0000", "date_created": None, "status": "received",
        }
        for n in range(2)
    ],
    "media_list": [{"sid": "ME1", "content_type": "image/jpeg"}],
    "next_page_uri": "/2010-04-01/Accounts/AC0/Messages.json?Page=1",
}  # fmt: skip
SENT = {
    "sid": "SM9", "status": "queued", "body": "Terima kasih", "to": "+15550001111",
    "date_created": "Sat, 21 Nov 2026 08:00:00 +0000", "error_code": None, "num_segments": "1",
    "direction": "outbound-api", "price": None, "uri": "/2010-04-01/Accounts/AC0/Messages/SM9.json",
}  # fmt: skip
ERRORS = {
    "opted-out": {"code": 21610, "message": "unsubscribed", "status": 400},
    "day-is-full": {"code": 63038, "message": "limit", "status": 429},
    "strange-code": {"code": True},
    "no-code": {"message": "x"},
}
TOLD = {
    "sent": {"ok": True, "result": {"message_id": 7, "date": 1_767_000_000, "chat": {"id": 7001, "type": "private"}, "text": "x"}},
    "slow-down": {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 3}},
    "moved": {"ok": False, "error_code": 400, "description": "moved", "parameters": {"migrate_to_chat_id": -100}},
    "blocked": {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"},
    "nobody": {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"},
    "nothing": {"ok": True, "result": None},
}  # fmt: skip


def _json(value: object) -> bytes:
    return json.dumps(value).encode("ascii")


def _forms() -> dict[str, Seeds]:
    status = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": "+15550006666"}
    lost = {**status, "MessageStatus": "undelivered", "ErrorCode": "30005"}
    return {
        "twilio.status": {"delivered": shapes.form(status), "lost": shapes.form(lost)},
        "twilio.signature": {
            "signed": shapes.form(doors.SIGNED),
            "same-twice": shapes.form(doors.SIGNED) + b"&From=%2B15550001111",
            "another-body": shapes.form({**doors.SIGNED, "Body": "LAPOR"}),
            "blank-field": shapes.form(doors.SIGNED) + b"&x=",
            "no-utf-8": urlencode({"Body": b"\xff\xfe"}).encode(),
        },
        "canary.message": {
            "text": _json(
                {"number": 1, "handle": "canary", "id": "c1", "text": "LAPOR"}
            ),
            "press": _json(
                {"number": 2, "handle": "canary", "id": "c2", "press": "a.1.b"}
            ),
        },
    }


def _answers() -> dict[str, Seeds]:
    errors = {name: _json(told) for name, told in ERRORS.items()}
    bot = {name: _json(told) for name, told in TOLD.items()}
    file = {"ok": True, "result": {"file_id": "A", "file_unique_id": "B", "file_size": 3, "file_path": "photos/1.jpg"}}  # fmt: skip
    lists = {"two": _json(LISTED), "none": _json({**LISTED, "messages": []})}
    return {
        "telegram.updates": bot,
        "telegram.answer": bot,
        "telegram.file": {"file": _json(file), **bot},
        "twilio.answer": {"sent": _json(SENT), **errors},
        "twilio.found": {"two": _json({**LISTED, "messages": [SENT, SENT]}), **errors},
        "twilio.list": {**lists, **errors},
        "provider.headers": {
            "seconds": b"120",
            "date": b"Sat, 21 Nov 2026 07:00:00 GMT",
            "zone": b"Sat, 21 Nov 2026 07:00:00 -0000",
        },
    }


def _inside() -> dict[str, Seeds]:
    letter = Letter(
        LetterKind.NOTICE, Channel.WHATSAPP, "whatsapp:+1", "kabar\ud800", (("Ya", "a.1.b"),),
        "news", {"1": "x"}, message_ids=(1, 2), case="ab" * 16,
    )  # fmt: skip
    state = State(
        draft="d1", step="Q10", answers={"Q05": "ANON"}, versions={"Q10": 2}, filled=("Q10",),
        said=((7, "Q10"),), files=((8, "x"),), albums=("g",), live=((9, 1, 2),), presses=((10, "a.1.b"),),
        base=State(step="Q09"),
    )  # fmt: skip
    memory = Memory(
        Channel.TELEGRAM, "7001", state=state, report="ab" * 16,
        trail=Trail(((5, 480_000), (6, 480_001)), 1), sweep=Sweep(9, 1, 0),
    )  # fmt: skip
    one = Content(ItemKind.ANSWER, "Ibu S, loket 3\ud800", NOW.isoformat(), "Q10")
    plain = sealing.unpad(one.to_bytes())
    request = Request("why", "yes", "id", (Half(b"\1" * 16, 2, b"sealed"),))
    wish = {
        "channel": "sms", "handle": "+15550001111", "language": "id", "last_inbound": 1, "kind": "neutral",
        "report": "ab" * 16, "salt": "00" * 16, "notices": ["0" * 32] * 5, "owed": 0,
    }  # fmt: skip
    return {
        "letter": {"notice": letter.to_bytes()},
        "memory": {"draft": memory.to_bytes()},
        "state": {"draft": state.to_json().encode(), "new": State().to_json().encode()},
        "subscription": {
            "wish": _json(wish),
            "older": _json({k: wish[k] for k in list(wish)[:4]}),
        },
        "job": {"fetch": _json({"file": "ab", "report": "cd", "channel": "sms"})},
        "item": {"answer": plain},
        "item.padded": {"answer": one.to_bytes()},
        "request": {"one": sealing.unpad(request.to_bytes())},
        "identity": {"one": _json([base64.b64encode(one.to_bytes()).decode()])},
        "padded": {"short": sealing.pad(PLAIN), "empty": sealing.pad(b"")},
    }


def _sealed() -> dict[str, Seeds]:
    out = io.BytesIO()
    stream = streams.StreamWriter(out, KEY, PLACE)
    stream.write(PLAIN)
    stream.end()
    old = ServerKeys({1: RING.ring[1]})
    stone = tombstones._context(STONE)  # noqa: SLF001 - as a row is written
    STONE.tag = RING.tag(stone, tombstones._content(STONE))  # noqa: SLF001
    return {
        "seal": {"ours": sealing.seal(PLAIN, public_of(SECRET), PLACE)},
        "lock": {
            "newest": RING.lock(Purpose.JOB, PLAIN, PLACE),
            "older-key": old.lock(Purpose.JOB, PLAIN, PLACE),
            "other-place": RING.lock(Purpose.OUTBOX, PLAIN, PLACE),
        },
        "bare_lock": {"ours": server_key.lock_with(KEY, PLAIN, PLACE)},
        "tag": {"ours": RING.tag(PLACE, PLAIN)},
        "ring": {"two": RING.to_text().encode()},
        "stream": {"ours": out.getvalue()},
        "tombstone": {"ours": tombstones.line(RING, STONE).encode()},
        "cookie": {"ours": cookies.new().encode()},
        "backup.values": {
            "row": encoding.packed(ROW),
            "empty": b"",
        },
    }


def _backups() -> dict[str, Seeds]:
    head = Head("0003", "1.0", NOW, (1, 2))
    end = End({"units": 1}, ["sessions"], 1, 5, ["a.original"], [])
    out, inside = io.BytesIO(), io.BytesIO()
    for file in (out, inside):
        writer = Writer(file, RING)
        if file is inside:
            writer._stream = inside  # type: ignore[assignment]  # noqa: SLF001 - bare
            inside.seek(0)
            inside.truncate()
        writer.head(head)
        writer.table(TableHead("units", ["id", "name", "day"]), [ROW[:3]])
        writer.file("ab" * 16 + ".original", io.BytesIO(b"12345"))
        if file is out:
            writer.end(end)
        else:
            body = body_of(end)
            inside.write(RECORD.pack(Kind.END, len(body)) + body)
    huge = struct.pack(">BI", Kind.HEAD, 0xFFFFFFFF)
    return {
        "backup.file": {"ours": out.getvalue()},
        "backup.records": {"ours": inside.getvalue(), "huge-record": huge},
    }


def _texts() -> dict[str, Seeds]:
    told = {
        "id": "AQ", "rawId": "AQ", "type": "public-key",
        "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJBUUlEIn0", "transports": ["usb", "internal"], "attestationObject": "o2Nm"},
    }  # fmt: skip
    return {
        "receipt": {
            "both": b"STATUS 7K3M-9QXB 1234-5678-9012-3456",
            "spaced": b"7 K 3 M 9 Q X B",
            "digits": b"1 2 3 4 " * 400,
            "halves": b"7K3M " * 900,
        },
        "command": {
            "link": b"/start 0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
            "status": b"/status@contoh_bot 7K3M-9QXB",
            "plain": b"LAPOR: jalan rusak",
        },
        "config": {
            "small": b'[agency]\nname = "x"\nlanguages = ["id"]\n[server]\nport = 8080\n[telegram]\ntoken = "1:a"\n[twilio.templates.id]\nnews = "HX1"\n',
            "files": b'[telegram]\ntoken_file = "/none"\n[keys]\nserver_key_file = "server.key"\n',
        },
        "variables": {
            "some": b"SERVER__PORT=8081\nAGENCY__LANGUAGES=id,en\nTELEGRAM__TOKEN=1:a\n",
            "templates": b"TWILIO__TEMPLATES__ID__NEWS=HX1\nLOGS__FORM=json\n",
        },
        "passkey": {"made": _json(told)},
    }  # fmt: skip


def main() -> None:
    """Write what is not there yet."""
    for part in (_forms(), _answers(), _inside(), _sealed(), _backups(), _texts()):
        for name, seeds in part.items():
            TARGETS[name].folder.mkdir(parents=True, exist_ok=True)
            for seed, raw in seeds.items():
                path = TARGETS[name].folder / seed
                if not path.exists():
                    path.write_bytes(raw)


if __name__ == "__main__":
    main()
