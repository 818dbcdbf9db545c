"""The outbox's hot statements, written in SQL for both dialects."""

from storage.database.statement import Statement

PUT = Statement.insert(
    "outbox",
    (
        *("channel", "priority", "due", "expires", "attempts", "doubtful"),
        *("order_name", "twin", "blob"),
    ),
)
DELETE = Statement("DELETE FROM outbox WHERE id = :id AND lease_token = :token")

CLAIM = Statement(
    """
UPDATE outbox SET lease_until = :lease, lease_token = :token, attempts = attempts + 1,
  doubtful = (doubtful OR lease_until IS NOT NULL)
WHERE id IN (
  SELECT o.id FROM outbox AS o
  WHERE o.channel = :channel AND o.due <= :now AND o.failed IS NULL
    AND (o.lease_until IS NULL OR o.lease_until < :now)
    AND (o.priority = 0 OR NOT EXISTS (
      SELECT 1 FROM outbox AS p
      WHERE p.order_name = o.order_name AND p.id < o.id AND p.priority > 0
        AND p.failed IS NULL))
  ORDER BY CASE WHEN o.priority = 0 THEN 0 WHEN :oldest THEN 1 ELSE (
    SELECT MIN(q.priority) FROM outbox AS q
    WHERE q.order_name = o.order_name AND q.priority > 0 AND q.failed IS NULL) END,
    o.id LIMIT :limit {lock})
RETURNING id, channel, priority, expires, attempts, doubtful, order_name, blob
""",
    lock="FOR UPDATE SKIP LOCKED",
)
"""Lease the due letters of a channel, and return them.

A letter waits while an older one of its person does; acknowledgments wait for nobody, and
one that failed neither goes nor is waited for.
A letter is as urgent as the most urgent one that waits behind it: a receipt pulls the
notice before it along. ``oldest``: by age alone.
"""

NEXT_DUE = """
SELECT MIN(o.due) AS due FROM outbox AS o
WHERE o.channel = :channel AND o.lease_until IS NULL AND o.failed IS NULL
  AND (o.priority = 0 OR NOT EXISTS (
    SELECT 1 FROM outbox AS p
    WHERE p.order_name = o.order_name AND p.id < o.id AND p.priority > 0
      AND p.failed IS NULL))
"""
"""When the next letter of a channel is due that no lease and no older letter holds back."""
