"""`python -m tests.chaos`: breaks a stack of its own and proves that nothing is lost."""

import sys

from services.cli import root
from tests.chaos.command import chaos
from tests.support.command_group import ToolGroup

command_line = root(ToolGroup)
command_line.command("chaos")(chaos)
command_line(["chaos", *sys.argv[1:]], prog_name="crm")
