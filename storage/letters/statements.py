"""The outbox's hot statements, written in SQL for both dialects."""

from storage.database.statement import Statement
from storage.letters.letter import FIRST, PRIORITIES

PUT = Statement.insert(
    "outbox",
    (
        *("channel", "priority", "due", "expires", "attempts", "doubtful"),
        *("order_name", "twin", "blob"),
    ),
)
DELETE = Statement("DELETE FROM outbox WHERE id = :id AND lease_token = :token")


_FREE = "(h.lease_until IS NULL OR h.lease_until < :now)"
_BEFORE = """SELECT 1 FROM outbox AS q
        WHERE q.order_name = o.order_name AND q.priority > 0 AND q.failed IS NULL
          AND """
_OF_RANK = """SELECT * FROM (
      SELECT h.id AS id, {rank} AS rank, o.id AS place
      FROM outbox AS o JOIN outbox AS h ON h.id = {head}
      WHERE o.channel = :channel AND o.priority = {priority} AND o.failed IS NULL
        AND h.due <= :now AND {free}{first}
      ORDER BY o.id LIMIT :limit) AS of_{priority}"""
_HEAD = """(SELECT MIN(p.id) FROM outbox AS p
        WHERE p.order_name = o.order_name AND p.priority > 0 AND p.failed IS NULL)"""


def _claim(*, oldest: bool) -> Statement:
    """Return what leases the due letters of a channel, the most urgent persons first.

    A letter waits while an older one of its person does; acknowledgments wait for nobody, and
    one that failed neither goes nor is waited for. A person is as urgent as the most urgent
    letter that waits for them: a receipt pulls the notice before it along. ``oldest``: by age
    alone. Each rank is read along the index of the line until there are enough, so a backlog
    is not sorted.
    """
    some = "\n    UNION ALL ".join(
        _of_rank(priority, oldest=oldest)
        for priority in sorted(set(PRIORITIES.values()))
    )
    return Statement(
        f"""
UPDATE outbox SET lease_until = :lease, lease_token = :token, attempts = attempts + 1,
  doubtful = (doubtful OR lease_until IS NOT NULL)
WHERE id IN (
  SELECT l.id FROM outbox AS l
  WHERE (l.lease_until IS NULL OR l.lease_until < :now) AND l.id IN (
    SELECT id FROM ({some}) AS wanted
    ORDER BY rank, place LIMIT :limit)
  {{lock}})
RETURNING id, channel, priority, expires, attempts, doubtful, order_name, blob
""",  # nosec B608 # noqa: S608 - our own words
        lock="FOR UPDATE OF l SKIP LOCKED",
    )


def _of_rank(priority: int, *, oldest: bool) -> str:
    """Return the persons whose turn is decided by letters of one rank, and their first letters."""
    head, rank, before = (
        _HEAD,
        priority,
        f"(q.priority < {priority} OR q.priority = {priority} AND q.id < o.id)",
    )
    if oldest:
        head, rank, before = "o.id", 1, "q.id < o.id"
    first = f"\n        AND NOT EXISTS ({_BEFORE}{before})"
    if priority == FIRST:
        head, rank, first = "o.id", 0, ""
    return _OF_RANK.format(
        head=head, rank=rank, priority=priority, free=_FREE, first=first
    )


CLAIM, CLAIM_OLDEST = _claim(oldest=False), _claim(oldest=True)


NEXT_DUE = """
SELECT MIN(o.due) AS due FROM outbox AS o
WHERE o.channel = :channel AND o.lease_until IS NULL AND o.failed IS NULL
  AND (o.priority = 0 OR NOT EXISTS (
    SELECT 1 FROM outbox AS p
    WHERE p.order_name = o.order_name AND p.id < o.id AND p.priority > 0
      AND p.failed IS NULL))
"""
"""When the next letter of a channel is due that no lease and no older letter holds back."""
