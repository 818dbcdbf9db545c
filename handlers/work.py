"""What a verb works with: the store of its transaction, the office, and the moment."""

from dataclasses import dataclass
from datetime import date, datetime

from handlers.office import Office
from storage.crypto.server_key import ServerKeys
from storage.database.transactions import Store


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction's work. A verb hands ``store`` on to storage and looks not inside.

    ``now`` is the moment of the whole transaction, with its time zone.
    """

    store: Store
    office: Office
    now: datetime

    @property
    def keys(self) -> ServerKeys:
        """Return the server's keys."""
        return self.office.keys

    @property
    def day(self) -> date:
        """Return the agency's local day."""
        return self.office.day(self.now)
