"""The field's own words as enums, free of SQL so that the pure rules may import them.

Every enum is stored by its *value*.

Long because it is the one list of words that all three folders share.
"""

from enum import IntEnum, StrEnum


class Channel(StrEnum):
    """One provider's way to reach a person; CANARY is the server's own test of itself."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    CANARY = "canary"

    @property
    def variant(self) -> str:
        """Return which catalogue variant this channel speaks: ``sms`` or ``chat``."""
        return "sms" if self is Channel.SMS else "chat"


class Status(StrEnum):
    """Where a case stands. A draft is no case and has no status."""

    RECEIVED = "RECEIVED"
    VERIFICATION = "VERIFICATION"
    NEEDS_INFO = "NEEDS_INFO"
    REVIEW = "REVIEW"
    INFO_GATHERING = "INFO_GATHERING"
    INVESTIGATION = "INVESTIGATION"
    REFERRED = "REFERRED"
    RECOMMENDATION = "RECOMMENDATION"
    FOLLOW_UP = "FOLLOW_UP"
    CLOSED = "CLOSED"
    REJECTED = "REJECTED"
    MERGED = "MERGED"
    WITHDRAWN = "WITHDRAWN"


class Reason(StrEnum):
    """Why a case was rejected (R) or how it ended (C)."""

    R01 = "R01"
    R02 = "R02"
    R03 = "R03"
    R04 = "R04"
    R05 = "R05"
    R06 = "R06"
    C01 = "C01"
    C02 = "C02"
    C03 = "C03"
    C04 = "C04"
    C05 = "C05"
    C06 = "C06"
    C07 = "C07"
    C08 = "C08"
    C09 = "C09"


class Role(StrEnum):
    """What an officer may do; a custodian never sits in a handling unit."""

    INTAKE = "intake"
    HANDLER = "handler"
    SUPERVISOR = "supervisor"
    CUSTODIAN = "custodian"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Group(StrEnum):
    """Category group, the only category that stands in clear on a case."""

    COR = "COR"
    PRC = "PRC"
    POS = "POS"
    NEU = "NEU"
    MER = "MER"
    SVC = "SVC"
    DIS = "DIS"
    RET = "RET"
    INF = "INF"
    ASP = "ASP"
    OTH = "OTH"


class PositionClass(StrEnum):
    """Class of the reported person's post, as coarse as the question asks it.

    Who belongs to INS is one of our own people; a case never says so in clear.
    """

    KDH = "KDH"
    INS = "INS"
    JPT = "JPT"
    ADM = "ADM"
    FUN = "FUN"
    KDS = "KDS"
    NON = "NON"
    UNK = "UNK"


CONFLICTED = frozenset({PositionClass.KDH.value, PositionClass.INS.value})
"""Whoever is reported in these classes must never get the report: it goes above us."""


class Track(StrEnum):
    """Corruption (TPK) or not."""

    TPK = "TPK"
    NON_TPK = "NON_TPK"


class Urgency(IntEnum):
    """First key of the queue's order: the smaller, the sooner."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2


class Sp4n(StrEnum):
    """Class of a complaint as SP4N-LAPOR! counts it; deadlines follow it."""

    INFO = "INFO"
    NON_SUPERVISORY = "NON_SUPERVISORY"
    SUPERVISORY = "SUPERVISORY"
    ASPIRATION = "ASPIRATION"


class Anonymity(StrEnum):
    """How the reporter wishes to be known."""

    ANON = "ANON"
    CONF = "CONF"
    OPEN = "OPEN"


class ActorClass(StrEnum):
    """Who did what an event tells."""

    REPORTER = "reporter"
    OFFICER = "officer"
    SYSTEM = "system"


class EventCode(StrEnum):
    """What happened to a case; one line of its history."""

    OPENED = "opened"
    ITEM = "item"
    READ_BY_REPORTER = "read_by_reporter"
    STATUS = "status"
    TAKEN = "taken"
    HANDED = "handed"
    SNOOZED = "snoozed"
    ASKED = "asked"
    NOTED = "noted"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    UNREACHABLE = "unreachable"
    UNTOLD = "untold"
    NEWS_STOPPED = "news_stopped"
    FILE_TAKEN = "file_taken"
    FILE_REFUSED = "file_refused"
    READ_BY_OFFICER = "read_by_officer"
    APPROVAL_ASKED = "approval_asked"
    REVEAL_ASKED = "reveal_asked"
    REVEAL_GRANTED = "reveal_granted"
    REVEAL_REFUSED = "reveal_refused"
    REVEAL_OPENED = "reveal_opened"
    REVEAL_ENDED = "reveal_ended"
    CONFLICT = "conflict"
    RESEALED = "resealed"
    REQUESTED = "requested"
    ANSWERED = "answered"
    HELD = "held"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    PURGED = "purged"
    CLASSIFIED = "classified"
    CLASS_ASKED = "class_asked"
    CLASS_AGREED = "class_agreed"
    CLASS_DROPPED = "class_dropped"


class Audience(StrEnum):
    """To whose key an item is sealed."""

    CASE = "case"
    REPORTER = "reporter"
    IDENTITY = "identity"


class ItemKind(StrEnum):
    """What a sealed item is; the word stands inside the seal."""

    ANSWER = "answer"
    ADDITION = "addition"
    REPLY = "reply"
    QUESTION = "question"
    NOTE = "note"
    IDENTITY = "identity"
    EDIT = "edit"
    CHOICES = "choices"
    TOLD = "told"
    NAMED = "named"
    AGENCY = "agency"


class Mark(StrEnum):
    """What an officer should know of how an item came; the word stands inside the seal.

    Never from whom something was forwarded: that is a third person's.
    """

    QUOTED = "quoted"
    FORWARDED = "forwarded"
    OFTEN_FORWARDED = "often_forwarded"
    VIA_BOT = "via_bot"
    INCOMPLETE = "incomplete"
    UNPROVED = "unproved"


class LetterKind(StrEnum):
    """Kinds of outbox rows; each has its own life."""

    REPLY = "reply"
    RECEIPT = "receipt"
    NOTICE = "notice"
    ALERT = "alert"
    ACK = "ack"
    DELETE = "delete"


class JobKind(StrEnum):
    """Durable work that is no letter."""

    RECEIPT = "receipt"
    FETCH = "fetch"
    ERASE = "erase"
    SEND = "send"
    FORGET = "forget"


class UnitKind(StrEnum):
    """A handling unit owns a queue; the vault guards identities."""

    HANDLING = "handling"
    VAULT = "vault"


class Recipient(StrEnum):
    """Kinds of key holders that a grant may name."""

    OFFICER = "officer"
    UNIT = "unit"
    RECOVERY = "recovery"


class FileState(StrEnum):
    """How far a piece of evidence has come."""

    WAITING = "waiting"
    TAKEN = "taken"
    REFUSED = "refused"
    """Larger than its provider gives us, or than we take."""
    GONE = "gone"
    LATE = "late"
    """It was tried for two days in vain."""


class RevealOf(StrEnum):
    """What two people may open together."""

    IDENTITY = "identity"
    ORIGINAL = "original"


class RevealState(StrEnum):
    """How far a reveal has come; one that is over has no row."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class RequestKind(StrEnum):
    """What a reporter may ask about their own data (deadlines D23 to D25)."""

    ERASE = "erase"
    RESTRICT = "restrict"
    ACCESS = "access"
    CORRECT = "correct"


class RequestState(StrEnum):
    """Whether a request about data waits, was done, or its limit was explained."""

    OPEN = "open"
    DONE = "done"
    LIMITED = "limited"


class Erased(StrEnum):
    """What a tombstone says is gone of a report."""

    IDENTITY = "identity"
    CONTACT = "contact"
    CONTENTS = "contents"
    FILES = "files"
    RECEIPT = "receipt"


class Wanted(StrEnum):
    """Which notices somebody wants about a case; wanting none leaves no row."""

    NEUTRAL = "neutral"
    FULL = "full"


class Stage(StrEnum):
    """How far a sign-in has come: the passphrase alone opens no page of work."""

    FIRST = "first"
    FULL = "full"
