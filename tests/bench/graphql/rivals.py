"""The servers that are compared with our API."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tests.bench import npm
from tests.bench.bench_servers import Program

HERE = Path(__file__).parent
POSTGRAPHILE = HERE / "postgraphile"
POOL = "8"  # connections to Postgres, as api.sql.database has


def install(say: Callable[[str], None]) -> list[str]:
    return npm.install("PostGraphile", POSTGRAPHILE, "server.mjs", say)


def postgraphile(dsn: str, folder: Path, installed: Sequence[str], filters: bool = False) -> Program:
    """`filters`: with postgraphile-plugin-connection-filter, which adds ranges to it."""
    environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "DATABASE_URL": dsn, "POOL": POOL}
    environment["FILTERS"] = "1" if filters else ""
    return Program("postgraphile", [*installed], folder, environment)


def plain_strawberry(dsn: str, folder: Path) -> Program:
    command = [sys.executable, "-m", "tests.bench.graphql.plain_strawberry"]
    return Program("plain strawberry", command, folder, {"DATABASE_URL": dsn, "POOL": POOL})


def postgraphile_versions() -> dict[str, str]:
    packages = msgspec.json.decode((POSTGRAPHILE / "package-lock.json").read_bytes())["packages"]
    version = subprocess.run(
        [npm.node("PostGraphile") / "bin" / "node", "--version"], capture_output=True, text=True
    ).stdout.strip()
    return {"postgraphile": packages["node_modules/postgraphile"]["version"], "node": version.lstrip("v")}
