"""An owner who is no superuser sets up the database that deploy/kubernetes/base/postgres.yaml makes."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import yaml
from psycopg import sql

from crm.adapters.postgres.reader_role import ANALYSTS, ROLE, SILENT
from crm.topics import JOURNAL
from tests.support.servers import postgres_server
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

CLUSTER = ROOT / "deploy/kubernetes/base/postgres.yaml"
SILENT_NOW = "SELECT count(*) FROM pg_proc WHERE proleakproof AND oid = ANY(%s::regprocedure[])"


def owned_database(server: str) -> str:
    """Makes the owner of the server's empty database, as the operator does. Returns its DSN."""
    initdb = yaml.safe_load(CLUSTER.read_text())["spec"]["bootstrap"]["initdb"]
    owner, database = initdb["owner"], initdb["database"]
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(sql.Identifier(owner)))
        conn.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), sql.Identifier(owner)))
    with psycopg.connect(server, dbname=database, autocommit=True) as conn:
        for statement in initdb["postInitApplicationSQL"]:
            conn.execute(statement.encode())
    at = urlsplit(server)
    return at._replace(netloc=f"{owner}:secret@{at.hostname}:{at.port}", path=f"/{database}").geturl()


def test_setup_without_demo_needs_no_superuser(kafka_bootstrap: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with postgres_server(tmp_path) as server:
        dsn = owned_database(server)
        environment = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "DATABASE_URL": dsn, "CRM_DATA": str(data)}
        command = [sys.executable, "-m", "services.cli", "setup", "--no-demo"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        assert (done.returncode, done.stdout) == (0, "Topics and tables are ready.\n"), done.stderr
        assert "slow" not in done.stderr and "will not work" not in done.stderr
        assert not data.exists()
        with psycopg.connect(dsn) as conn:
            assert conn.execute(SILENT_NOW, [list(SILENT)]).fetchone() == (len(SILENT),)
            roles = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname"
            assert conn.execute(roles, [[ROLE, ANALYSTS]]).fetchall() == sorted([(ROLE,), (ANALYSTS,)])
            assert conn.execute("SELECT count(*) FROM core.journal_head").fetchone() == (JOURNAL.partitions,)
