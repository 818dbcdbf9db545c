"""Connections, transactions, schema.

database: the connections: one for writes, others for reads; SQLite or PostgreSQL
schema: the version of the schema: upgrade, refuse a newer one
statement: hot statements, handed to the driver as they are written
transactions: what a failure means, locks in one person's order, memo of a transaction
"""
