"""`crm up`: starts the whole stack and keeps it running."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from crm.settings import Settings
from services.cli import banner, output
from services.cli.options import Data, Json
from services.stack import state
from services.stack.ports import notices
from services.stack.process import last_lines
from services.stack.role import ON_DEMAND, ROLES, roles_of

PANEL, RANK = "Run", 1

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_magenta")


def up(
    data: Data = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background; return when ready.")] = False,
    replicas: Annotated[list[str], typer.Option(help="ROLE=N: number of processes of a role; may be repeated.")] = [],  # noqa: B006
    kafka_port: Annotated[int, typer.Option(help="0: any free port.")] = 9092,
    postgres_port: Annotated[int, typer.Option(help="0: any free port.")] = 5432,
    demo: Annotated[bool, typer.Option(help="Create a demo workspace at the first start.")] = True,
    json: Json = False,
) -> None:
    """Start Kafka, Postgres and all roles. Ctrl-C stops everything; the data is kept."""
    folder = (data or state.data_folder()).absolute()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own messages say the same in one sentence
    if detach:
        return in_background(folder, json)
    from services.stack.supervisor import Plan, Supervisor

    settings, counted = Settings.read(), counts(replicas)
    roles = roles_of(settings)
    plan = Plan(folder, settings, os.environ, kafka_port, postgres_port, counted, roles, on_demand=ON_DEMAND, demo=demo)
    say = json_lines if json else prefixed
    say("crm", f"Starting Kafka, Postgres and {len(roles)} roles on {folder}")
    asyncio.run(Supervisor(plan, say).run(lambda _: banner.print_banner(state.running(folder), json)))
    say("crm", f"Stopped. The data is kept in {folder}.")


def counts(given: list[str]) -> Mapping[str, int]:
    """Parses `decide=2` into {"decide": 2}."""
    found = {}
    for text in given:
        role, _, number = text.partition("=")
        if role not in ROLES or not number.isdigit():
            raise ValueError(f"--replicas takes ROLE=N with one of the roles {', '.join(ROLES)}, not {text!r}.")
        found[role] = int(number)
    return found


def prefixed(who: str, text: str) -> None:
    """Prints a line of a process after its name, which is coloured on a terminal."""
    colour = COLOURS[list(ROLES).index(who.split("-")[0]) % len(COLOURS)] if who.split("-")[0] in ROLES else "white"
    output.say(f"{typer.style(f'{who:>8}', fg=colour)} {text}")


def json_lines(who: str, text: str) -> None:
    typer.echo(json.dumps({"role": who, "line": text}, ensure_ascii=False))


def in_background(folder: Path, as_json: bool) -> None:
    """Runs the same command without --detach in a session of its own. Downloads Kafka first, with visible progress."""
    if "KAFKA_BOOTSTRAP" not in os.environ:
        from services.stack import kafka

        asyncio.run(kafka.prepare(lambda text: typer.echo(text, err=True)))
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "stack.log"
    options = [word for word in sys.argv[1:] if word not in ("--detach", "-d", "--json")]
    log.unlink(missing_ok=True)
    log.touch(0o600)  # the demo's token is printed into it
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *options],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    if not as_json:
        typer.echo(f"Starting on {folder}; the log is {log}")
    while True:
        try:
            code = process.wait(0.1)
        except subprocess.TimeoutExpired:
            stack = state.read(folder)
            if stack and stack.pid == process.pid and stack.ready:
                for line in notices(log.read_text("utf-8", "replace")) if not as_json else ():
                    output.say(line)
                return banner.print_banner(stack, as_json)
            continue
        raise RuntimeError(f"The stack did not start (exit code {code}). The data is kept.\n{last_lines(log)}")
