"""The history of the schema; ``storage.database.schema`` runs it.

env: Alembic's environment
versions: one module for each version
"""
