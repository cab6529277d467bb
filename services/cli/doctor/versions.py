"""Checks for projections whose view does not show this release's version."""

import psycopg

from services.cli.doctor.checks import Finding, Installation


def versions(installation: Installation) -> list[Finding]:
    """Returns nothing when Postgres is down or has no tables, which other checks report."""
    from projections import PROJECTIONS
    from streams.cutover.status import outdated_views

    if not installation.database_url:
        return []
    try:
        with psycopg.connect(installation.database_url, autocommit=True, connect_timeout=5) as conn:
            found = list(outdated_views(conn, PROJECTIONS.values()))
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return []
    if not found:
        return [Finding("versions", True, f"All {len(PROJECTIONS)} projections serve the version of this release.")]
    return [Finding(one.name, one.at_work, one.sentence) for one in found]
