"""What a file is, its content tells: one table of heads."""

import pytest

from bot.evidence.kinds import HEAD, kind_of, kinds, recognise

FTYP = b"\0\0\0\x20ftyp"
BOM = b"\xef\xbb\xbf"
HEADS = [
    (b"\xff\xd8\xff\xe0JFIF", "jpeg"),
    (b"\x89PNG\r\n\x1a\n....", "png"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "wav"),
    (b"RIFF\x10\0\0\0AVI LIST", None),
    (b"GIF89a\1\0\1\0", "gif"),
    (FTYP + b"heic\0\0\0\0", "heic"),
    (FTYP + b"mif1\0\0\0\0", "heic"),
    (FTYP + b"avif\0\0\0\0", "avif"),
    (FTYP + b"M4A \0\0\0\0", "m4a"),
    (FTYP + b"isom\0\0\0\0", "mp4"),
    (FTYP + b"qt  \0\0\0\0", "mp4"),
    (FTYP + b"3gp4\0\0\0\0", "mp4"),
    (b"II*\0\x08\0\0\0", "tiff"),
    (b"MM\0*\0\0\0\x08", "tiff"),
    (b"BM\x36\0\0\0\0\0\0\0\x36", "bmp"),
    (b"BMW adalah mobil", "text"),
    (b"%PDF-1.7\n", "pdf"),
    (b"PK\x03\x04\x14\0", "zip"),
    (b"PK\x05\x06" + bytes(18), "zip"),
    (b"OggS\0\x02", "ogg"),
    (b"ID3\x04\0", "mp3"),
    (b"\xff\xfb\x90\x64", "mp3"),
    (b"\xff\xf1\x50\x80", "aac"),
    (b"#!AMR\n", "amr"),
    (b"fLaC\0\0", "flac"),
    (b"\x1aE\xdf\xa3\x01", "webm"),
    ("Kepala dinas minta uang é".encode(), "text"),
    (b"a,b\r\n1,2\r\n", "text"),
    (b"  <html>", None),
    (b"<?xml version='1.0'?>", None),
    (b"{\\rtf1{\\info{\\author Siti}}", None),
    (b"BEGIN:VCARD\r\nN:Siti\r\n", None),
    (b"BEGIN:VCALENDAR\r\n", None),
    (b"%!PS-Adobe\n%%For: Siti\n", None),
    (b"From: Siti <s@x>\r\nTo: B\r\nMIME-Version: 1.0\r\n\r\nIsi", "mail"),
    (b"Received: from pc-siti\n\tby mail\nFrom: s\n", "mail"),
    (b"Subject: a\nX-Originating-IP: [10.0.0.9]\n", "mail"),
    (BOM + b"From: Siti <s@x>\r\nTo: B\r\nMIME-Version: 1.0\r\n\r\nIsi", "mail"),
    (b"\r\n" + BOM + b" Received: from pc-siti\n", "mail"),
    (BOM + b"<html>", None),
    (BOM + b"BEGIN:VCARD\r\nN:Siti\r\n", None),
    ("From: Siti <s@x>\nReceived: a\n".encode("utf-16"), None),
    (b"From s@x Mon Nov 30 19:00:01 2026\nStatus: RO\n\nIsi", "mail"),
    (b">From MAILER-DAEMON Mon Nov 30 19:00:01 2026\n", "mail"),
    (b"From 17@xxx Mon Nov 30 19:00:01 +0000 2026\n", "mail"),
    (b"Date: Mon\nFrom: Siti\n <s@x.id>\n\nIsi", "mail"),
    (b"From: Siti <s@x.id>\nSubject: setoran\n\nIsi", "mail"),
    (b"DKIM-Signature: v=1; d=x.id\n", "mail"),
    (b"Subject: a\nContent-Type: text/plain\n", "mail"),
    (BOM + b"Kepala dinas minta uang", "text"),
    (b"From him on Monday at 10:00 he asked for money.\n", "text"),
    (b"To: inspektorat@x.go.id\nSubject: setoran\n\nKepala dinas", "text"),
    (b"From: the loket\nSubject: money\n", "text"),
    (b"From: the head of the office\nHe asked for money.\n", "text"),
    (b"Saksi: Pak Rudi\nTempat: loket\n\nReceived: 500 ribu\n", "text"),
    (b"a:\r\n" * 2000, "text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
    (b"Rar!\x1a\x07", None),
    (b"7z\xbc\xaf\x27\x1c", None),
    (b"\x7fELF", None),
    (b"\xff\xfe\x00", None),
    (b"", None),
]


@pytest.mark.parametrize(("head", "code"), HEADS)
def test_a_head_tells(head, code):
    found = recognise(head)
    assert (found.code if found else None) == code


def test_a_letter_may_be_cut_at_the_end_of_what_is_read():
    words = ("a" * (HEAD - 1) + "é").encode()
    assert recognise(words[:HEAD]) is kinds()["text"]
    assert recognise(words[:100] + b"\xc3" + words[100:HEAD]) is None


def test_old_details_are_understood():
    assert kind_of({"type": "image/png"}) is kinds()["png"]
    assert kind_of({"type": "text/html"}) is None
    assert kind_of({"kind": "docx"}) is kinds()["docx"]
