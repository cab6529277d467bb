"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder of the stack.", show_default="$CRM_DATA or .data")
]
Workspace = Annotated[
    str,
    typer.Option("--workspace", help="Id of the workspace.", envvar="CRM_WORKSPACE", show_default="the demo workspace"),
]
