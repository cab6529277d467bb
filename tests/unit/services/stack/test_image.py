"""The container image has what its roles and its command line import: no embedded server, no tool of tests."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pkgutil import iter_modules

from services.cli import commands
from services.stack.role import ROLES
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

WITHOUT = """
import importlib, sys
left_out = set(sys.argv[1].split(","))
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in left_out:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
for name in sys.argv[2].split(","):
    importlib.import_module(name)
"""


def locked(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), re.MULTILINE))


def imported(*modules: str) -> str:
    """What an import of these says where only the image's packages are; empty when all is there."""
    there = locked("requirements-run.lock")
    own = {name for name, by in packages_distributions().items() if not {normal(one) for one in by} & there}
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT, ",".join(own - {"pip", "setuptools"}), ",".join(modules)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
    return done.stderr.strip().rpartition("\n")[2]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_roles_and_command_line_are_complete() -> None:
    roles = [f"{role}.__main__" if (ROOT / role.replace(".", "/")).is_dir() else role for role in ROLES.values()]
    found = [one.name for one in iter_modules(commands.__path__, f"{commands.__name__}.")]
    assert found and imported("services.cli", *found, "streams.rebuild.worker", "streams.replay.worker", *roles) == ""


def test_a_package_that_the_image_lacks_is_found() -> None:
    assert imported("testcontainers") == "ModuleNotFoundError: No module named 'testcontainers'"
