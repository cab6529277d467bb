"""`python -m tests.support.stand_in_stack DATA`: a supervisor of two stand-in roles on servers of the environment.

With `CRM_STAND_IN=robbed` there is an api too, whose port somebody takes after it was chosen. With `never ready` its
patience, `CRM_PATIENCE` seconds, begins when all roles have said what they miss.
"""

import asyncio
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

from crm.settings import Settings
from services.cli.commands.up import prefixed
from services.stack.managed_process import ManagedProcess
from services.stack.ports import LOCAL, any_free
from services.stack.process import until
from services.stack.supervisor import Plan, Supervisor
from tests.support.stand_in_role import MISSING
from tests.support.timeouts import TIMEOUT

STAND_IN = "tests.support.stand_in_role"
ROLES = {"decide": STAND_IN, "project": STAND_IN}


class Robbed(Supervisor):
    def start_roles(self) -> None:
        self.api_port = self.ports.choose("api", self.api_port)
        self.thief = socket.create_server((LOCAL, self.api_port))
        print(f"TAKEN {self.api_port}", flush=True)
        self.start_role("api", 1)


class Impatient(Supervisor):
    async def until_ready(self, processes: list[ManagedProcess], patience: float) -> None:
        async def silent() -> str | None:
            return next((process.part.name for process in processes if process.missing != MISSING), None)

        await until(silent, TIMEOUT)
        await super().until_ready(processes, patience)


SUPERVISORS = {"robbed": Robbed, "never ready": Impatient}


if __name__ == "__main__":
    plays = os.environ.get("CRM_STAND_IN", "")
    plan = Plan(
        data=Path(sys.argv[1]),
        settings=replace(Settings.read(), api_port=any_free()),
        environment=os.environ,
        replicas={"decide": 2},
        roles={"api": STAND_IN} if plays == "robbed" else ROLES,
        roles_in_time=float(os.environ.get("CRM_PATIENCE", "120")),
        demo=False,
    )
    try:
        asyncio.run(SUPERVISORS.get(plays, Supervisor)(plan, prefixed).run(lambda stack: print("READY", flush=True)))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
