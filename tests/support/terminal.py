"""Runs `crm` commands like a user at a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.timeouts import TIMEOUT

ROOT = Path(__file__).parents[2]
ADDRESSES = (
    "CRM_SECRETS_KEY",
    "KAFKA_BOOTSTRAP",
    "DATABASE_URL",
    "CRM_HEALTH_PORT",
    "CRM_INTAKE_URL",
    "CRM_GRAPHQL_URL",
    "CRM_DEMO",
)


class Terminal:
    """Uses its own data folder and free ports, so that other stacks on this machine are not touched.

    `root`: the checkout to run.
    """

    def __init__(self, data: Path, root: Path = ROOT) -> None:
        self.data, self.root = data, root
        self.environment = {name: value for name, value in os.environ.items() if name not in ADDRESSES} | {
            "CRM_DATA": str(data),
            "CRM_INTAKE_PORT": "0",
            "CRM_API_PORT": "0",
        }

    def run(self, command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "services.cli", *command.split()]
        done = subprocess.run(
            words, env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=TIMEOUT
        )
        assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run_json(self, command: str, expect: int = 0) -> Any:
        return json.loads(self.run(f"{command} --json", expect).stdout)

    def start_stack(self) -> Any:
        return self.run_json(f"up --detach --data {self.data} --kafka-port 0 --postgres-port 0")
