"""Installs the libraries that a rebuild is measured against into an environment of their own, `build/rivals`."""

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from services.stack.state import ROOT

LOCK = Path(__file__).with_name("requirements.lock")
FOLDER = ROOT / "build" / "rivals"
PYTHON = FOLDER / "bin" / "python"


def install(report: Callable[[str], None]) -> Path:
    """Returns the environment's Python. It installs once for each version of the lock.

    The rivals' packages come first, this project's after them: a rival decodes and folds with the project's own code.
    Raises RuntimeError with the installer's words when it fails.
    """
    done = FOLDER / "installed.lock"
    if not done.exists() or done.read_bytes() != LOCK.read_bytes():
        report(f"Installing the other libraries into {FOLDER} (once)")
        uv("venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER))
        uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(LOCK))
        site_packages = subprocess.check_output(
            [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        )
        (Path(site_packages.strip()) / "potik.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        done.write_bytes(LOCK.read_bytes())  # last of all
    return PYTHON


def uv(*words: str) -> None:
    ended = subprocess.run([Path(sys.executable).with_name("uv"), *words], capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"The other libraries could not be installed, and nothing was measured: {ended.stderr}")
