"""What the handlers refuse, and what to do about it.

The docstring of a class *is* its message; a detail (a code, never a text, a name or a
number of a report) may follow.
"""


class KentonganError(Exception):
    """Something was refused without a reason of its own; look at the operator's log."""

    def __init__(self, detail: str = "") -> None:
        """Build the message from the docstring; ``detail`` is a code or a file name."""
        self.detail = detail
        message = " ".join((type(self).__doc__ or type(self).__name__).split())
        super().__init__(f"{message} ({detail})" if detail else message)


class NotAllowed(KentonganError):
    """The step is not open to you from here; choose one of the steps on the case page."""


class OthersCase(KentonganError):
    """Another officer works on this case; ask them, or a supervisor of the unit."""


class CannotTake(KentonganError):
    """That colleague has no next step on this case; choose another one of the unit."""


class Changed(KentonganError):
    """The case was changed since your page was shown; look at it and send again."""


class ReasonNeeded(KentonganError):
    """The step needs one of its own reason codes; choose a reason and send again."""


class ReasonNotTaken(KentonganError):
    """The step takes no reason code; leave the reason empty and send again."""


class NameNeeded(KentonganError):
    """The step names a case, a partner or another address; fill it in; then send again."""


class NamedCaseUnknown(KentonganError):
    """The named case is none that goes on and that you can open; check its number."""


class SecondOfficerNeeded(KentonganError):
    """The step needs a second officer; ask a colleague of the unit to approve it."""


class SupervisorNeeded(KentonganError):
    """One of the two officers must be a supervisor; ask one of the unit to confirm."""


class AnsweredAlready(KentonganError):
    """The request was answered meanwhile; look at the case again."""


class KeptByLaw(KentonganError):
    """The case is on legal hold, so nothing is erased; explain the limit to the reporter."""


class CodeUnknown(KentonganError):
    """One of the codes stands in none of the lists, or fits no other; choose again."""


class AboveNeeded(KentonganError):
    """Only the unit above us takes away that a head or our own is reported; hand the case to it."""


class NotFound(KentonganError):
    """Nothing is kept under this number; check it and try again."""


class NotYours(KentonganError):
    """What you ask for belongs to another unit; ask its supervisor if you need to work on it."""


class NoTarget(KentonganError):
    """A case goes to a unit that handles cases and has a key and readers; choose another one."""


class TargetChanged(KentonganError):
    """The unit got another key meanwhile; compare its words again before you confirm."""


class RevealOver(KentonganError):
    """The request is over: answered, ended, or too old; look at the list again."""


class AlreadyAsked(KentonganError):
    """You have asked for this already; end that request before you ask again."""


class ConsentNeeded(KentonganError):
    """The reason needs the reporter's consent; note when and how they agreed."""


class TwoPeopleNeeded(KentonganError):
    """Nobody asks and opens alone; an officer of the case asks, a custodian opens."""


class NotGranted(KentonganError):
    """The case has a key of its own that you were not given yet; ask a member to open it."""


class Purged(KentonganError):
    """What this case held was erased on schedule; nothing can be added to it any more."""


class LastAdmin(KentonganError):
    """Nobody else is an admin; invite another one first."""


class LastMember(KentonganError):
    """Nobody, or no supervisor, would be left in a unit; whoever runs the system does it."""


class DraftGone(KentonganError):
    """The report that you were writing was deleted meanwhile; begin it again."""


class NotReady(KentonganError):
    """The vault has no key yet, so nothing can be kept; admit its first custodian."""


class RulesInvalid(KentonganError):
    """A rule file cannot be used; correct the entry that is named and start again."""


class NoDefaultRoute(KentonganError):
    """No unit takes what no route names; add a route without conditions."""


class TooManyEntryUnits(KentonganError):
    """The routes name more than 8 units; let fewer units receive new reports."""


class NumbersExhausted(KentonganError):
    """The source of randomness gives no usable number; check it and start again."""
