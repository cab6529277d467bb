"""A role as a process: `python -m MODULE` with its settings in the environment."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from crm.settings import Settings
from services.stack import http_probe
from services.stack.ports import LOCAL, any_free, is_free
from services.stack.process import Process, spawn

# In the order in which they stop: intake first, so that what was accepted still passes through the others.
ROLES = {
    "intake": "services.intake",
    "api": "api",
    "decide": "streams.decide",
    "relay": "streams.relay",
    "project": "streams.project",
    "outbound": "services.outbound",
}

# Started by `crm up` when it is needed for the first time; in other deployments it runs always and idles.
ON_DEMAND = {"polling": "services.polling", "imports": "services.imports"}


def roles_of(settings: Settings) -> dict[str, str]:
    """Returns the roles to start: that of attachments where there is a place for files, and that of outbound unless
    nothing may be sent."""
    roles = {**ROLES, "attachments": "services.attachments"} if settings.attachments else dict(ROLES)
    return roles if settings.outbound else {role: module for role, module in roles.items() if role != "outbound"}


class Role:
    """One replica of a role. Each start takes a new port for /livez, /readyz and /metrics.

    `module` follows `python -m`: a module and its arguments, if any. A role that clients connect to keeps its port
    once it has been ready; until then it takes another one when somebody has taken its own.
    """

    stop_by, patience, look_every = signal.SIGTERM, 10.0, 2.0

    def __init__(self, role: str, module: str, instance: int, environment: Mapping[str, str]) -> None:
        self.name = role if instance == 1 else f"{role}-{instance}"
        self.role, self.module, self.instance = role, module, instance
        self.environment = {
            **environment,
            "CRM_INSTANCE": str(instance),
            "PYTHONUNBUFFERED": "1",
            "PGAPPNAME": f"crm {self.name}",
        }
        self.listens = f"CRM_{role.upper()}_PORT"  # the variable of its port for clients, if it has one
        self.served = False
        self.health_port, self.url = 0, ""
        self.answered_at = time.monotonic()
        self.process: Process | None = None

    @property
    def port(self) -> int:
        """The port for clients; 0 for a role that has none."""
        return int(self.environment.get(self.listens, 0))

    def start(self) -> Process:
        if self.port and not self.served and not is_free(self.port):  # taken since it was chosen
            self.environment[self.listens] = str(any_free())
        self.health_port = any_free()
        self.url, self.answered_at = f"http://{LOCAL}:{self.health_port}", time.monotonic()
        environment = {**self.environment, "CRM_HEALTH_PORT": str(self.health_port)}
        self.process = spawn([sys.executable, "-m", *self.module.split()], subprocess.PIPE, environment=environment)
        return self.process

    async def ready(self) -> str | None:
        """Returns what is missing, in the role's own words; None when it is ready."""
        try:
            status, text = await http_probe.get(self.health_port, "/readyz")
        except OSError:
            return "does not answer"
        self.answered_at = time.monotonic()
        self.served = self.served or status == 200
        return None if status == 200 else text.strip() or f"answers {status}"
