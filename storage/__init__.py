"""The storage remembers: tables, encryption, transactions, the queue and the outbox."""
