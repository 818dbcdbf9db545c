"""The checks against the digest find what is wrong, and the digest is up to date."""

import json
import os
import runpy
from pathlib import Path

import pytest

from tests.specs import conformance

HERE = Path(conformance.__file__).parent


@pytest.mark.parametrize(
    ("api", "method", "params", "complaint"),
    [
        ("telegram", "sendMessage", {"chat_id": 1, "text": "x"}, ""),
        ("telegram", "sendmessage", {"chat_id": "1", "text": "x"}, ""),
        ("telegram", "sendMessage", {"chat_id": 1}, "text is missing"),
        (
            "telegram",
            "sendMessage",
            {"chat_id": 1, "text": "x", "colour": 1},
            "colour is unknown",
        ),
        ("telegram", "sendMessage", {"chat_id": 1.5, "text": "x"}, "chat_id"),
        (
            "telegram",
            "sendMessage",
            {"chat_id": 1, "text": "x", "protect_content": "ja"},
            "JSON",
        ),
        (
            "telegram",
            "sendMessage",
            {"chat_id": 1, "text": "x", "protect_content": "true"},
            "",
        ),
        (
            "telegram",
            "sendMessage",
            {"chat_id": 1, "text": "x", "protect_content": 1},
            "Boolean",
        ),
        (
            "telegram",
            "sendMessage",
            {
                "chat_id": 1,
                "text": "x",
                "reply_markup": '{"inline_keyboard": [[{"url": "u"}]]}',
            },
            "",
        ),
        ("telegram", "deleteMessages", {"chat_id": 1, "message_ids": "[1, 2]"}, ""),
        (
            "telegram",
            "deleteMessages",
            {"chat_id": 1, "message_ids": '["a"]'},
            "no Integer",
        ),
        (
            "telegram",
            "deleteMessages",
            {"chat_id": 1, "message_ids": 7},
            "not an array",
        ),
        ("telegram", "getFile", {"file_id": 7}, "no String"),
        ("telegram", "getGarden", {}, "not in the digest"),
        ("twilio", "create", {"To": "+1", "Body": "x", "From": "+1"}, ""),
        ("twilio", "create", {"Body": "x"}, "To is missing"),
        ("twilio", "create", {"To": "+1", "SmartEncoded": "ja"}, "no boolean"),
        ("twilio", "create", {"To": "+1", "ValidityPeriod": "1h"}, "no integer"),
        ("twilio", "create", {"To": "+1", "RiskCheck": "maybe"}, "none of"),
        ("twilio", "list", {"PageSize": "20", "DateSent>": "2026-01-01"}, ""),
    ],
)
def test_requests_are_held_against_the_spec(api, method, params, complaint):
    found = conformance.check_request(api, method, params)
    assert bool(found) == bool(complaint)
    assert complaint in "".join(found)


def test_uploads_count_as_parameters():
    params = {"chat_id": 1}
    assert conformance.check_request("telegram", "sendDocument", params) != []
    assert (
        conformance.check_request("telegram", "sendDocument", params, ["document"])
        == []
    )


def test_answers_are_held_against_the_spec():
    assert conformance.check_answer("telegram", "getMe", {"ok": False}) != []
    wrong = {"ok": True, "result": {"id": "7", "is_bot": True, "strange": 1}}
    assert len(conformance.check_answer("telegram", "getMe", wrong)) == 3
    assert conformance.check_type("Update", []) == ["Update: not a Update"]
    assert conformance.check_type("Update", {"update_id": 1, "poll": 7}) != []
    assert conformance.check_type("ChatMember", {"status": "left"}) != []
    message = dict.fromkeys(conformance.TWILIO["resources"]["Message"])
    found = conformance.check_resource(
        "Message", message | {"status": "lost", "body": 7, "x": 1}
    )
    assert sorted(complaint.partition(":")[0] for complaint in found) == [
        "Message.body",
        "Message.direction",
        "Message.status",
        "Message.x is unknown",
    ]


def test_the_digest_is_small_and_names_its_version():
    assert (HERE / "digest.json").stat().st_size < 60_000
    assert conformance.TELEGRAM["version"] == "Bot API 10.1"


def test_the_digest_is_what_the_script_makes():
    """Checked where the published specs lie at hand, else the script runs on a small one."""
    script = runpy.run_path(str(HERE / "make_digest.py"))
    folder = os.environ.get("SPECS_DIR")
    if folder:
        spec = json.loads((Path(folder) / script["TELEGRAM"]).read_text())
        assert script["telegram"](spec) == conformance.TELEGRAM
        spec = json.loads((Path(folder) / script["TWILIO"]).read_text())
        assert script["twilio"](spec) == conformance.TWILIO
        return
    field = {"name": "a", "types": ["Integer", "String"], "required": True}
    assert script["_fields"]([field]) == {
        "fields": {"a": "Integer|String"},
        "required": ["a"],
    }
