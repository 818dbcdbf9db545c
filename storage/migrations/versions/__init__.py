"""The schema's history; ``storage.migrating`` runs it."""
