"""An office is made of settings and rules that fit each other."""

from datetime import UTC, datetime

import pytest

from bot.assembly.office import make_office
from bot.settings import loading
from handlers.errors import RulesInvalid
from storage.crypto.server_key import ServerKeys

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_agencys_province_is_one_of_the_table():
    settings = loading.load(None, {"KENTONGAN_AGENCY__PROVINCE": "15"})
    assert make_office(settings, ServerKeys.new(), now=NOW).province == "15"


def test_a_province_that_no_table_has_is_refused():
    settings = loading.load(None, {"KENTONGAN_AGENCY__PROVINCE": "20"})
    with pytest.raises(RulesInvalid, match=r"agency\.province: 20 is not in"):
        make_office(settings, ServerKeys.new(), now=NOW)
