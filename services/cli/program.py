"""How `crm` is called from where the user stands: sentences that suggest a command name one that can be pasted."""

import re
import shutil
import sys
from functools import cache
from pathlib import Path

QUOTED = re.compile(r"`crm (?=[a-z])")


def runnable(text: str) -> str:
    """Replaces `crm ...` in backquotes by a command that works in the user's shell and folder."""
    return QUOTED.sub(f"`{program()} ", text)


@cache
def program() -> str:
    """`crm` where PATH leads to this installation, else the path to it, else the module.

    The path is relative when the program lies below the current folder, as `.venv/bin/crm` does in a checkout.
    """
    own, found = Path(sys.executable).with_name("crm"), shutil.which("crm")
    if not own.exists():
        return "crm" if found else f"{sys.executable} -m services.cli"
    if found and Path(found).samefile(own):
        return "crm"
    below = own.is_relative_to(Path.cwd()) and own.parent != Path.cwd()
    return str(own.relative_to(Path.cwd()) if below else own)
