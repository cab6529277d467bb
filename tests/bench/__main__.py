"""`python -m tests.bench`: the benchmarks; each prints JSON."""

import sys

from services.cli import root
from tests.bench.command import app
from tests.support.command_group import ToolGroup

command_line = root(ToolGroup)
command_line.add_typer(app, name="bench")
command_line(["bench", *sys.argv[1:]], prog_name="crm")
