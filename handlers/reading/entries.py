"""The files of words: what must stand in each of them.

They lie in ``handlers/rules/<jurisdiction>``; the head of each file tells its own keys.
"""

from typing import Final, Literal, TypeAlias

from pydantic import Field, StrictBool

from handlers.rules.rulefile import Entry

Conflict: TypeAlias = Literal["KDH", "INS"]
"""A class of people whose case this office must not handle: the regional head and who is
near them; the inspectorate itself."""

INSPECTORATE: Final = "INS"
"""Position of our own people; ``positions.toml`` has no such code yet."""


class Title(Entry):
    """What people of one position are called."""

    position: str = ""
    conflict: Conflict | None = None
    words: tuple[str, ...]


class Mention(Entry):
    """Words around a title that tell that its holder is not the accused.

    ``before`` and ``after`` stand straight beside the title, but for words that only fill;
    when both are given both must be there. ``opening``: the title opens its sentence.
    ``closing``: nothing follows it in its clause. ``honoured``: it is called *bapak* or the
    like. ``of``: only for such titles. ``asked``: somebody is asked for something before it.
    ``weak``: only where somebody else is accused. ``aides``: also for who is near the holder. ``unless_acting``: not when an act follows
    before anybody else is named. ``unless``: not when one of these stands near;
    ``unless_before`` and ``unless_after``:
    not when one of these stands straight beside it.
    """

    kind: str
    of: tuple[Literal["KDH", "INS", "other"], ...] = ("KDH", "INS", "other")
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    opening: StrictBool = False
    closing: StrictBool = False
    honoured: StrictBool = False
    asked: StrictBool = False
    aides: StrictBool = True
    weak: StrictBool = False
    unless_acting: StrictBool = False
    unless: tuple[str, ...] = ()
    unless_before: tuple[str, ...] = ()
    unless_after: tuple[str, ...] = ()


class Accused(Entry):
    """``accused.toml``: titles, who is near them, and who is only mentioned."""

    titles: tuple[Title, ...] = Field(validation_alias="title")
    groups: dict[str, tuple[str, ...]] = Field(validation_alias="group")
    mentions: tuple[Mention, ...] = Field(validation_alias="mention")
    aides: tuple[str, ...]
    aides_alone: tuple[str, ...]
    aides_behind: tuple[str, ...]
    filling: tuple[str, ...]
    honours: tuple[str, ...]
    greetings: tuple[str, ...]
    asking: tuple[str, ...]
    between: tuple[str, ...]
    acting: tuple[str, ...]
    incriminating: tuple[str, ...]
    passing: tuple[str, ...]
    others: tuple[str, ...]
    following: tuple[str, ...]


class Subjects(Entry):
    """``subjects.toml``: words of categories, of corruption, and of urgency, by code."""

    groups: dict[str, tuple[str, ...]] = Field(validation_alias="group")
    categories: dict[str, tuple[str, ...]] = Field(validation_alias="category")
    hints: dict[str, tuple[str, ...]] = Field(validation_alias="hint")
    corruption: tuple[str, ...]
    harmless: tuple[str, ...] = ()
    signs: dict[str, tuple[str, ...]] = Field(validation_alias="sign")


class OwnWords(Entry):
    """``own_words.toml``: what an agency adds."""

    titles: tuple[Title, ...] = Field(default=(), validation_alias="title")
    categories: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, validation_alias="category"
    )
    signs: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, validation_alias="sign"
    )
