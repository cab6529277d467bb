"""`crm down`: stops the stack in order."""

import os
import signal
import time

import typer

from services.cli import output as show
from services.cli.options import Data, Json
from services.stack import state


def down(data: Data = None, json: Json = False) -> None:
    """Stop the stack that runs here. Its data is kept."""
    folder = (data or state.data_folder()).absolute()
    try:
        stack = state.running(folder)
    except state.NotRunning as nothing:
        return show.as_json({"stopped": False}) if json else typer.echo(str(nothing))
    began = time.monotonic()
    os.kill(stack.pid, signal.SIGTERM)
    while state.lives(stack.pid, stack.born):
        time.sleep(0.05)
    seconds = round(time.monotonic() - began, 1)
    if json:
        show.as_json({"stopped": True, "seconds": seconds})
    else:
        typer.echo(f"Stopped in {seconds} s. The data is kept in {folder}.")
