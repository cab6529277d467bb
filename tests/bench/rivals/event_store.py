"""Where the library eventsourcing keeps its events."""

from urllib.parse import urlsplit


def event_store(dsn: str) -> dict[str, str]:
    """Returns the library's settings for a database of Postgres."""
    at = urlsplit(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": at.path[1:],
        "POSTGRES_HOST": at.hostname or "",
        "POSTGRES_PORT": str(at.port),
        "POSTGRES_USER": at.username or "",
        "POSTGRES_PASSWORD": at.password or "",
    }
