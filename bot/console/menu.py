"""Which pages an officer's role is about: the main menu, and where the console begins.

The gate keeps everybody to these pages; a menu only leads. For a role that a page is not
meant for, the page does not exist.
"""

from dataclasses import dataclass

from handlers.authority import HANDLING, LETTERS
from storage.words import Role

VAULT = frozenset({Role.CUSTODIAN})
"""Who guards identities; they have no queue."""
AUDIT = frozenset({Role.AUDITOR})
KEEPERS = frozenset({Role.SUPERVISOR})
"""Who puts a case on legal hold, and releases it."""
HOLDS = KEEPERS | AUDIT
PEOPLE = frozenset(Role) - AUDIT
"""Who has to do with colleagues: members of units, and admins."""
HEALTH = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AUDITOR})
"""Who may see how the server itself is."""
ALARMED = HEALTH - AUDIT
"""Who is told on every page that an alarm rings: they can do something about it."""
ACCOUNT = "/account"


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the menu: where it leads, what it is called, for whom."""

    path: str
    name: str
    roles: frozenset[Role]

    def holds(self, here: str) -> bool:
        """Tell whether the page at ``here`` lies under this link."""
        if self.path == "/":
            return here in {"", "/"} or here.startswith("/cases/")
        return here == self.path or here.startswith(f"{self.path}/")


ENTRIES = (
    Entry("/", "nav.queue", HANDLING),
    Entry("/mine", "nav.mine", HANDLING),
    Entry("/requests", "nav.requests", HANDLING),
    Entry("/holds", "nav.holds", HOLDS),
    Entry("/vault", "nav.vault", VAULT),
    Entry("/quarantine", "nav.quarantine", VAULT),
    Entry("/log", "nav.log", AUDIT),
    Entry("/reading", "nav.reading", AUDIT),
    Entry("/figures", "nav.figures", AUDIT),
    Entry("/people", "nav.people", PEOPLE),
    Entry("/health", "nav.health", HEALTH),
    Entry("/letters", "nav.letters", LETTERS),
)


def entries(role: str) -> tuple[Entry, ...]:
    """Return the links of a role, in their order; the account stands beside them."""
    return tuple(entry for entry in ENTRIES if role in entry.roles)


def first(role: str) -> str:
    """Return the page with which the console begins for a role."""
    return next((entry.path for entry in entries(role)), ACCOUNT)
