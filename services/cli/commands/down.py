"""`crm down`: stops the stack, roles first."""

import os
import signal
import time

import typer

from services.cli import output
from services.cli.options import Data, Json
from services.stack import state

PANEL, RANK = "Run", 5


def down(data: Data = None, json: Json = False) -> None:
    """Stop the running stack. Its data is kept."""
    folder = (data or state.data_folder()).absolute()
    try:
        stack = state.running(folder)
    except state.NotRunning as error:
        return output.print_json({"stopped": False}) if json else output.say(str(error))
    began = time.monotonic()
    os.kill(stack.pid, signal.SIGTERM)
    while state.is_alive(stack.pid, stack.born):
        time.sleep(0.05)
    seconds = round(time.monotonic() - began, 1)
    if json:
        output.print_json({"stopped": True, "seconds": seconds})
    else:
        typer.echo(f"Stopped in {seconds} s. The data is kept in {folder}.")
