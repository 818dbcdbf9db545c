"""A file of 20 MiB goes through the server without ever being whole in its memory."""

import subprocess
import sys

import pytest

from tests.support.places import ROOT

MOST_KB = 8 * 1024


@pytest.mark.parametrize("kind", ["picture", "text", "unknown"])
def test_taking_twenty_megabytes_needs_no_eight(tmp_path, kind):
    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.bot.evidence.sandbox.peak", str(tmp_path), kind],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    assert int(said.stdout) < MOST_KB
    sizes = [path.stat().st_size for path in tmp_path.glob("files/*/*.original")]
    assert max(sizes) > 20 << 20
