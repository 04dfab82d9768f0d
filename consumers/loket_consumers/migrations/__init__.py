"""The schema's history, run by Alembic: each version is a module that is never changed once it was released."""
