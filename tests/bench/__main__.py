"""`python -m tests.bench`: the benchmarks; each prints JSON."""

import sys

from services.cli import root
from services.cli.errors import ErrorReportingGroup
from tests.bench.command import app

command_line = root(ErrorReportingGroup)
command_line.add_typer(app, name="bench")
command_line(["bench", *sys.argv[1:]], prog_name="crm")
