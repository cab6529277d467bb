"""`python -m tests.chaos`: breaks a stack of its own and proves that nothing is lost."""

import sys

from services.cli import root
from services.cli.errors import ErrorReportingGroup
from tests.chaos.command import chaos

command_line = root(ErrorReportingGroup)
command_line.command("chaos")(chaos)
command_line(["chaos", *sys.argv[1:]], prog_name="crm")
