"""The working-day calendar of an agency: weekends, public holidays, joint leave.

Joint leave (*cuti bersama*) is a day off by a setting of the agency. The holidays come
from the package ``holidays``; an override table adds, moves or takes back days.
"""

import calendar as months
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

DAY = timedelta(days=1)
_SATURDAY = 5
MONTHS_IN_YEAR = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked. Years without data have weekends only."""

    holidays: frozenset[date]
    joint_leave: frozenset[date] = frozenset()
    joint_leave_off: bool = True

    @classmethod
    def from_package(
        cls,
        years: Iterable[int],
        overrides: Mapping[date, str],
        *,
        country: str = "ID",
        joint_leave_off: bool = True,
    ) -> Self:
        """Take a country's days of these years; ``overrides`` has the last word.

        An override is ``public``, ``joint`` or ``work``; days outside ``years`` count too.
        """
        import holidays as package  # noqa: PLC0415 - of every country; few commands count days

        wanted = list(years)
        public = set(
            package.country_holidays(country, years=wanted, categories="public")
        )
        joint = set(
            package.country_holidays(country, years=wanted, categories="government")
        )
        for day, kind in overrides.items():
            public.discard(day)
            joint.discard(day)
            if kind == "public":
                public.add(day)
            elif kind == "joint":
                joint.add(day)
        return cls(frozenset(public), frozenset(joint), joint_leave_off)

    def is_working(self, day: date) -> bool:
        """Tell whether the agency works on this day."""
        if day.weekday() >= _SATURDAY or day in self.holidays:
            return False
        return not (self.joint_leave_off and day in self.joint_leave)

    def add(self, start: date, days: int) -> date:
        """Return the day that is ``days`` working days after ``start`` (day 0)."""
        day = start
        left = days
        while left > 0:
            day += DAY
            left -= self.is_working(day)
        return day

    def working_days(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and with ``end``."""
        return sum(
            self.is_working(start + step * DAY)
            for step in range(1, (end - start).days + 1)
        )

    def knows_joint_leave(self, year: int) -> bool:
        """Tell whether this year's joint leave has been entered; a check may warn."""
        return any(day.year == year for day in self.joint_leave)


def month_later(start: date, count: int) -> date:
    """Return the same day ``count`` months on, or that month's last day."""
    total = start.month - 1 + count
    year, month = start.year + total // MONTHS_IN_YEAR, total % MONTHS_IN_YEAR + 1
    return date(year, month, min(start.day, months.monthrange(year, month)[1]))
