"""The schema's history; ``storage.database.schema`` runs it."""
