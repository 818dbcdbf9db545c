"""What the words of a draft were read as: codes for each step, and what routing makes of them.

Words are read in the turn that brings them, before they are sealed; only codes are kept,
with the conversation, for as long as the draft lives. A new version of a step takes the
reading of the old one back.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from handlers.conversation.memory import Memory
from handlers.office import Office
from handlers.reading import places
from handlers.reading.reading import Reading, read, stricter
from handlers.rules.routing import CATEGORY, PLACE, POSITION, Lead
from handlers.talk.turn import Item
from storage.words import Audience, Group, Track


def accusing(office: Office, item: Item) -> Reading | None:
    """Read an item that accuses the head of the region or our own people; None otherwise."""
    if item.audience is not Audience.CASE:
        return None
    found = read(item.text, office.lexicon())
    return found if found.conflict else None


def of_reading(office: Office, found: Reading, known: Mapping[str, str]) -> Lead:
    """Return what routing goes by for one reading alone; ``known`` are codes by step."""
    return _lead(office, found, known, known[PLACE])


def note(office: Office, memory: Memory, item: Item) -> None:
    """Read an item of the draft, and keep the codes; an identity is not read."""
    if item.to_case or item.audience is not Audience.CASE or not item.text:
        return
    found = read(item.text, office.lexicon())
    of = places.answered if item.step == PLACE else places.told
    place = of(item.text, office.rulebook.places, office.province or None)
    province = place.province if place else ""
    before = memory.readings.get(item.step)
    if before and before["version"] == item.version:
        found = stricter(_reading(before), found)
        province = before["province"] or province
    memory.readings[item.step] = {
        "version": item.version,
        "position": found.position,
        "conflicts": sorted(found.conflicts),
        "category": found.category,
        "track": found.track or "",
        "signs": sorted(found.signs),
        "province": province,
    }


def of(office: Office, memory: Memory, answers: Mapping[str, str]) -> Lead:
    """Join what the reporter chose with what their words say: the stricter one counts."""
    rows = memory.readings.values()
    joined = reduce(stricter, map(_reading, rows), Reading())
    told = [row["province"] for row in rows if row["province"]]
    answered = memory.readings.get(PLACE, {}).get("province", "")
    province = answered or (told[0] if len(set(told)) == 1 else "")
    return _lead(office, joined, answers, province)


def _lead(
    office: Office, joined: Reading, answers: Mapping[str, str], province: str
) -> Lead:
    chosen = dict(answers)
    if joined.conflict:
        chosen[POSITION] = joined.conflict
    elif chosen.get(POSITION, "UNK") in {"", "UNK"} and joined.position:
        chosen[POSITION] = office.rulebook.positions[joined.position].position_class
    if Group.OTH in chosen.get(CATEGORY, Group.OTH) and joined.category:
        chosen[CATEGORY] = joined.category
    chosen[PLACE] = province
    return Lead(
        answers=chosen,
        is_corruption=joined.track is Track.TPK,
        is_urgent=joined.urgent,
        suggested={
            "position": joined.conflict or joined.position,
            "category": joined.category,
            "track": joined.track or "",
            "signs": " ".join(sorted(joined.signs)),
            "province": province,
        },
    )


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(
        position=row["position"],
        conflicts=frozenset(row["conflicts"]),
        category=row["category"],
        track=Track(row["track"]) if row["track"] else None,
        signs=frozenset(row["signs"]),
    )
