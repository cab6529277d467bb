"""`python -m tests.support.stand_in_stack DATA`: a supervisor of two stand-in roles on servers of the environment.

With `CRM_STAND_IN=robbed` there is an api too, whose port somebody takes after it was chosen.
"""

import asyncio
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

from crm.settings import Settings
from services.cli.commands.up import prefixed
from services.stack.ports import LOCAL, any_free
from services.stack.supervisor import Plan, Supervisor

STAND_IN = "tests.support.stand_in_role"
ROLES = {"decide": STAND_IN, "project": STAND_IN}


class Robbed(Supervisor):
    def start_roles(self) -> None:
        self.api_port = self.ports.choose("api", self.api_port)
        self.thief = socket.create_server((LOCAL, self.api_port))
        print(f"TAKEN {self.api_port}", flush=True)
        self.start_role("api", 1)


if __name__ == "__main__":
    robbed = os.environ.get("CRM_STAND_IN") == "robbed"
    plan = Plan(
        data=Path(sys.argv[1]),
        settings=replace(Settings.read(), api_port=any_free()),
        environment=os.environ,
        replicas={"decide": 2},
        roles={"api": STAND_IN} if robbed else ROLES,
        roles_in_time=float(os.environ.get("CRM_PATIENCE", "120")),
        demo=False,
    )
    try:
        asyncio.run((Robbed if robbed else Supervisor)(plan, prefixed).run(lambda stack: print("READY", flush=True)))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
