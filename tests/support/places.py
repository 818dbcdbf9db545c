"""Where things of the repository lie, told from one place."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests" / "payloads"
RECORDED = ROOT / "tests" / "recorded"
