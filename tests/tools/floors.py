"""Draw docs/images/{bot,handlers,storage}.svg from the imports: ``make floors``.

A box is a package or a module at the top of the folder, with its line of the map. It stands
on its floor of import-linter's contract (pyproject.toml). An arrow is an import. One that
follows from others (a imports b, b imports c, a imports c) is left out, or nobody could
read the rest. The same source gives the same bytes, so a test compares them.
"""

import ast
import re
import textwrap
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from tests.support.places import ROOT

FOLDERS = ("bot", "handlers", "storage")
FIVE = {"webhooks", "channels", "inbox", "dialogue", "outbox"}
"""The boxes that hold the five files of one message."""

WIDE, HIGH, LANE = 190, 92, 12
BESIDE, BELOW, EDGE = 16, 48, 20
LETTERS, LINES = 25, 4
SWEEPS = 24

Edge = tuple[str, str]


class Box(NamedTuple):
    """What stands on a floor; a lane is where a long arrow passes it."""

    name: str
    says: str = ""
    is_package: bool = False
    is_lane: bool = False

    @property
    def width(self) -> int:
        return LANE if self.is_lane else WIDE


def picture_of(folder: str) -> Path:
    return ROOT / "docs" / "images" / f"{folder}.svg"


def boxes(folder: str) -> dict[str, Box]:
    """Return what lies at the top of a folder, with its line of the map."""
    init = ROOT / folder / "__init__.py"
    told = ast.get_docstring(ast.parse(init.read_text("utf-8"))) or ""
    lines = re.findall(r"^(\w+): (.+)$", told, re.MULTILINE)
    return {
        name: Box(name, says, (ROOT / folder / name).is_dir()) for name, says in lines
    }


def floors(folder: str) -> list[list[str]]:
    """Return the floors of the contract, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == [folder]:
            return [re.findall(r"\w+", layer) for layer in contract["layers"]]
    raise LookupError(folder)


def imports(folder: str) -> set[Edge]:
    """Return which box imports which."""
    known, found = boxes(folder), set()
    for path in sorted((ROOT / folder).rglob("*.py")):
        own = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        for name in _imported(ast.parse(path.read_text("utf-8"))):
            parts = name.split(".")
            if parts[0] == folder and own in known and parts[1] in known:
                found.add((own, parts[1]))
    return {(upper, lower) for upper, lower in found if upper != lower}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            yield ast.unparse(node.args[0]).strip("'")


def reduced(edges: set[Edge]) -> list[Edge]:
    """Leave out every arrow that a longer way replaces."""
    below = defaultdict(set)
    for upper, lower in edges:
        below[upper].add(lower)

    def leads(start: str, end: str, passed: set[str]) -> bool:
        for following in below[start] - passed:
            passed.add(following)
            if following == end or leads(following, end, passed):
                return True
        return False

    return sorted(
        (upper, lower)
        for upper, lower in edges
        if not any(
            leads(other, lower, {upper}) for other in below[upper] if other != lower
        )
    )


class Plan:
    """Boxes in rows, lanes between them for long arrows, and where everything stands."""

    def __init__(self, rows: Iterable[Iterable[Box]], edges: Iterable[Edge]) -> None:
        self.rows = [list(row) for row in rows]
        floor = {box.name: n for n, row in enumerate(self.rows) for box in row}
        self.ways = [self._way(upper, lower, floor) for upper, lower in edges]
        self.up, self.down = defaultdict(list), defaultdict(list)
        for upper, lower in (step for way in self.ways for step in pairwise(way)):
            self.down[upper].append(lower)
            self.up[lower].append(upper)
        self._order()
        self.x = self._places()

    def _way(self, upper: str, lower: str, floor: dict[str, int]) -> list[str]:
        way = [upper]
        for n in range(floor[upper] + 1, floor[lower]):
            way.append(f"{upper} {lower} {n}")
            self.rows[n].append(Box(way[-1], is_lane=True))
        return [*way, lower]

    def _order(self) -> None:
        """Order every row so that few arrows cross."""
        best, fewest = [*map(list, self.rows)], self._crossings()
        for sweep in range(SWEEPS):
            rows, near = self.rows, self.up
            if sweep % 2:
                rows, near = self.rows[::-1], self.down
            for before, row in pairwise(rows):
                place = {box.name: n for n, box in enumerate(before)}
                keys = {
                    box.name: _mean((place.get(one, n) for one in near[box.name]), n)
                    for n, box in enumerate(row)
                }
                row.sort(key=lambda box, keys=keys: keys[box.name])  # type: ignore[misc] # bound now
            if (crossings := self._crossings()) < fewest:
                best, fewest = [*map(list, self.rows)], crossings
        self.rows = best

    def _crossings(self) -> int:
        place = {box.name: n for row in self.rows for n, box in enumerate(row)}
        crossed = 0
        for row in self.rows:
            steps = [
                (place[box.name], place[lower])
                for box in row
                for lower in self.down[box.name]
            ]
            crossed += sum(
                (a - c) * (b - d) < 0
                for n, (a, b) in enumerate(steps)
                for c, d in steps[n + 1 :]
            )
        return crossed

    def _places(self) -> dict[str, float]:
        """Put every box near those that it is tied to, without overlap."""
        x: dict[str, float] = {}
        for row in self.rows:
            x.update(zip(_names(row), _apart(row, [0.0] * len(row)), strict=True))
        for sweep in range(4 * SWEEPS):
            for row in self.rows[:: -1 if sweep % 2 else 1]:
                wanted = [
                    _mean((x[one] for one in self.up[name] + self.down[name]), x[name])
                    for name in _names(row)
                ]
                x.update(zip(_names(row), _apart(row, wanted), strict=True))
        left = min(x[box.name] - box.width / 2 for row in self.rows for box in row)
        return {name: place - left + EDGE for name, place in x.items()}


def _names(row: Sequence[Box]) -> list[str]:
    return [box.name for box in row]


def _mean(places: Iterable[float], default: float) -> float:
    found = list(places)
    return fmean(found) if found else default


def _apart(row: Sequence[Box], wanted: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted at which no box touches the next one."""
    shift, shifts = 0.0, []
    for n, box in enumerate(row):
        shift += (row[n - 1].width + box.width) / 2 + BESIDE if n else 0.0
        shifts.append(shift)
    groups: list[list[float]] = []
    for place, moved in zip(wanted, shifts, strict=True):
        groups.append([place - moved])
        while len(groups) > 1 and fmean(groups[-2]) >= fmean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    flat = [fmean(group) for group in groups for _ in group]
    return [place + moved for place, moved in zip(flat, shifts, strict=True)]


STYLE = """
text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.name { font: bold 14px ui-monospace, Menlo, Consolas, monospace; fill: #1d2733; }
.says { font-size: 12px; fill: #46525f; }
.room { fill: #ffffff; stroke: #51606f; }
.file { fill: #f3f1ea; stroke: #8b8676; }
.five { stroke: #c2571a; stroke-width: 2.5; }
.way { fill: none; stroke: #7d8a97; stroke-width: 1.3; }
.against { stroke: #c1121f; stroke-width: 2; stroke-dasharray: 6 4; }
"""
HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#7d8a97"/></marker>'
)


def drawn(folder: str) -> str:
    """Return the picture of a folder as SVG, light whatever the page around it is."""
    known = boxes(folder)
    rows = [
        [known[name] for name in floor if name in known] for floor in floors(folder)
    ]
    floor = {box.name: n for n, row in enumerate(rows) for box in row}
    edges = imports(folder)
    wrong = sorted(edge for edge in edges if floor[edge[0]] >= floor[edge[1]])
    plan = Plan(rows, reduced(edges - set(wrong)))
    right = max(plan.x[box.name] + box.width / 2 for row in plan.rows for box in row)
    width = round(right) + EDGE
    height = 2 * EDGE + len(rows) * (HIGH + BELOW) - BELOW
    top = {
        name: EDGE + n * (HIGH + BELOW)
        for n, row in enumerate(plan.rows)
        for name in _names(row)
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
        f"<title>{folder}/: what imports what, floor by floor</title>",
        f"<style>{STYLE}</style>",
        HEAD,
        f'<rect width="{width}" height="{height}" rx="10" fill="#fbfaf7"/>',
        *_arrows(plan, top),
        *(_against(plan, top, edge) for edge in wrong),
        *(
            _box(box, plan.x[box.name], top[box.name])
            for row in plan.rows
            for box in row
            if not box.is_lane
        ),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _box(box: Box, middle: float, top: int) -> str:
    left = round(middle - WIDE / 2)
    shape = "room" if box.is_package else "file"
    marked = " five" if box.name in FIVE else ""
    name = f"{box.name}/" if box.is_package else f"{box.name}.py"
    says = textwrap.wrap(
        box.says.replace("``", ""), LETTERS, max_lines=LINES, placeholder=" …"
    )
    lines = "".join(
        f'<text class="says" x="{left + 10}" y="{top + 38 + 15 * n}">{escape(line)}</text>'
        for n, line in enumerate(says)
    )
    return (
        f'<rect class="{shape}{marked}" x="{left}" y="{top}" width="{WIDE}" '
        f'height="{HIGH}" rx="{4 if box.is_package else 14}"/>'
        f'<text class="name" x="{left + 10}" y="{top + 20}">{escape(name)}</text>{lines}'
    )


def _arrows(plan: Plan, top: dict[str, int]) -> Iterator[str]:
    starts = _ports(plan, plan.down)
    ends = _ports(plan, plan.up)
    for way in plan.ways:
        path = ""
        for upper, lower in pairwise(way):
            from_x, to_x = starts[upper, lower], ends[lower, upper]
            from_y, to_y = (
                top[upper] + HIGH,
                top[lower] - (2 if lower == way[-1] else 0),
            )
            middle = (from_y + to_y) // 2
            path += f"M{from_x} {from_y}" if not path else f"V{from_y}"
            path += f"C{from_x} {middle} {to_x} {middle} {to_x} {to_y}"
        yield f'<path class="way" d="{path}" marker-end="url(#head)"/>'


def _against(plan: Plan, top: dict[str, int], edge: Edge) -> str:
    """Draw an import that the contract forbids."""
    (x, y), (to_x, to_y) = ((round(plan.x[name]), top[name]) for name in edge)
    return f'<path class="way against" d="M{x} {y}L{to_x} {to_y + HIGH}"/>'


def _ports(plan: Plan, ties: dict[str, list[str]]) -> dict[Edge, int]:
    """Spread the arrows of a box over its side, in the order of where they lead."""
    found = {}
    for name, others in ties.items():
        room = 0 if " " in name else WIDE - 50
        far = sorted(others, key=lambda other: (plan.x[other], other))
        for n, other in enumerate(far, 1):
            found[name, other] = round(
                plan.x[name] - room / 2 + room * n / (len(far) + 1)
            )
    return found


if __name__ == "__main__":
    for one in FOLDERS:
        picture_of(one).write_text(drawn(one), "utf-8")
