"""The officers' codes beside the phones."""

import json

from bot.simulator.page.wording import WORDS
from bot.simulator.rules.authenticator import Authenticator

SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""That of RFC 6238, appendix B."""


def test_it_shows_the_codes_of_the_standard(tmp_path):
    file = tmp_path / "authenticator.json"
    file.write_text(json.dumps({"siti": SEED}))
    cards = Authenticator(file).cards
    for moment, code, left in ((59, "287082", 1), (1111111109, "081804", 1)):
        (card,) = cards(moment)
        assert (card.login, card.code, card.left) == ("siti", code, left)
    assert cards(1111111110)[0].left == 30


def test_names_are_escaped_and_the_secret_is_not_shown(tmp_path):
    file = tmp_path / "authenticator.json"
    file.write_text(json.dumps({"<b>siti": SEED}))
    for words in WORDS.values():
        shown = Authenticator(file).markup(words)
        assert "&lt;b&gt;siti" in shown
        assert SEED not in shown


async def test_without_a_file_there_is_no_panel(simulator, tmp_path):
    assert Authenticator().cards() == []
    assert Authenticator(tmp_path / "nothing").cards() == []
    assert 'class="codes"' not in (await simulator.client.get("/")).text
    assert (await simulator.client.get("/authenticator")).text == ""
