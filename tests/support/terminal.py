"""Somebody at a terminal: types commands, reads what they print."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ADDRESSES = ("KAFKA_BOOTSTRAP", "DATABASE_URL", "CRM_HEALTH_PORT", "CRM_INTAKE_URL", "CRM_GRAPHQL_URL", "CRM_DEMO")


class Person:
    """Works on a data folder of their own, on free ports: another stack on this machine is not touched.

    `root`: where the code is that they run.
    """

    def __init__(self, data: Path, root: Path = ROOT) -> None:
        self.data, self.root = data, root
        self.environment = {name: value for name, value in os.environ.items() if name not in ADDRESSES} | {
            "CRM_DATA": str(data),
            "CRM_INTAKE_PORT": "0",
            "CRM_API_PORT": "0",
        }

    def types(self, command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "services.cli", *command.split()]
        done = subprocess.run(words, env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=180)
        assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def asks(self, command: str, expect: int = 0) -> Any:
        return json.loads(self.types(f"{command} --json", expect).stdout)

    def starts(self) -> Any:
        return self.asks(f"up --detach --data {self.data} --kafka-port 0 --postgres-port 0")
