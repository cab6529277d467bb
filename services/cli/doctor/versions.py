"""What `crm doctor` says of projections whose view does not show the version that this release folds."""

import psycopg

from services.cli.doctor.checks import Finding, Patient


def versions(patient: Patient) -> list[Finding]:
    """Nothing when Postgres is away or has no tables: others say so."""
    from projections import PROJECTIONS
    from streams.cutover.status import standings

    if not patient.database_url:
        return []
    try:
        with psycopg.connect(patient.database_url, autocommit=True, connect_timeout=5) as conn:
            found = list(standings(conn, PROJECTIONS.values()))
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return []
    if not found:
        return [Finding("versions", True, f"All {len(PROJECTIONS)} projections serve the version of this release.")]
    return [Finding(one.name, one.at_work, one.sentence) for one in found]
