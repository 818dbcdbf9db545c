"""Failed letters and messages in quarantine in Chromium: nothing axe finds, in both themes."""

from typing import Literal

import pytest
from playwright.async_api import Browser

from handlers.quarantine import keeping
from handlers.work import Work
from storage.words import Channel, LetterKind, Role
from tests.bot.console.watch.test_letters import fails
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged_at_both_widths, sign_in
from tests.support.founded import person

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser
RAW = b"From=%2B6281200000001&Body=LAPOR+Kepala+dinas+meminta+uang+%3Cb%3E&NumMedia=x"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    desk: Desk, chromium: Browser, address: str, theme: Literal["light", "dark"]
):
    context = await chromium.new_context(color_scheme=theme)
    page = await context.new_page()
    with desk.database.writing() as session:
        adi = person(session, desk.keys, "adi", Role.ADMIN)
    await sign_in(desk, context, address, adi)
    await page.goto(f"{address}/letters")
    await judged_at_both_widths(page, f"letters-none-{theme}")
    fails(desk, n=7)
    fails(desk, "whatsapp.window", LetterKind.NOTICE, Channel.WHATSAPP)
    fails(desk, "telegram.400", LetterKind.ALERT, Channel.TELEGRAM)
    await page.goto(f"{address}/letters")
    for summary in await page.locator("details:not([open]) summary").all():
        await summary.click()
    await judged_at_both_widths(page, f"letters-{theme}")
    await page.locator("form[action$='/letters/retry'] button").first.click()
    await page.locator("[role=status]").wait_for()
    await judged_at_both_widths(page, f"letters-done-{theme}")

    await sign_in(desk, context, address, desk.house.custodian)
    await page.goto(f"{address}/quarantine")
    await judged_at_both_widths(page, f"quarantine-none-{theme}")
    with desk.database.writing() as session:
        for channel, reason in (
            (Channel.SMS, "twilio.media"),
            (Channel.TELEGRAM, "ZeroDivisionError"),
        ):
            keeping.keep(
                Work(session, desk.context.office, desk.clock()),
                RAW,
                reason,
                channel=channel,
            )
    await page.goto(f"{address}/quarantine")
    await judged_at_both_widths(page, f"quarantine-{theme}")
    await page.locator("form[action$='/read'] button").first.click()
    await page.locator("pre").wait_for()
    await judged_at_both_widths(page, f"quarantine-open-{theme}")
    await page.locator("form[action$='/drop'] select").select_option("SPAM")
    await page.locator("form[action$='/drop'] button").click()
    await page.locator("[role=status]").wait_for()
    await judged_at_both_widths(page, f"quarantine-done-{theme}")
    await context.close()
