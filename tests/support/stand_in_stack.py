"""`python -m tests.support.stand_in_stack DATA`: a supervisor of two stand-in roles on servers of the environment."""

import asyncio
import os
import sys
from pathlib import Path

from crm.settings import Settings
from services.cli.commands.up import prefixed
from services.stack.supervisor import Plan, Supervisor

ROLES = {"decide": "tests.support.stand_in_role", "project": "tests.support.stand_in_role"}

if __name__ == "__main__":
    plan = Plan(
        data=Path(sys.argv[1]),
        settings=Settings.read(),
        environment=os.environ,
        replicas={"decide": 2},
        roles=ROLES,
        roles_in_time=float(os.environ.get("CRM_PATIENCE", "120")),
        demo=False,
    )
    try:
        asyncio.run(Supervisor(plan, prefixed).run(lambda stack: print("READY", flush=True)))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
