"""Each role runs as its pod does: by the image's user, with nothing to write to but /tmp; SIGTERM ends it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.stack import http_probe
from services.stack.ports import any_free
from services.stack.process import until
from tests.support.manifests import EVERY_ROLE, PROBES
from tests.support.servers import IN_CONTAINERS, PATIENCE
from tests.support.tools import ROOT

# Reading is allowed, as the interpreter may lie where the image's user may not look on this machine.
POD = """
mount --make-rprivate / && mount -o remount,bind,ro /
for place in $(awk '$2 != "/" && $4 ~ /^rw/ && $2 !~ "^/(proc|sys|dev)" {print $2}' /proc/mounts); do
  mount -o remount,bind,ro "$place"
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
if touch "$CRM_WRITES" 2> /tmp/refused; then echo "$CRM_WRITES can be written"; exit 3; fi
cd "$CRM_ROOT" && exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
  --inh-caps -all,+dac_read_search --ambient-caps -all,+dac_read_search "$@"
"""


def pod(*command: str, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        whole = ["unshare", "--mount", "sh", "-c", POD, "--", *command]
        return subprocess.Popen(whole, env=environment, stdout=output, stderr=subprocess.STDOUT)


@pytest.mark.skipif(
    IN_CONTAINERS or os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="only root may make a file system read-only for one process, with unshare and setpriv of Linux",
)
def test_every_role_needs_no_more_than_its_pod_has(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path
) -> None:
    common = {
        **os.environ,
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "DATABASE_URL": fresh_database_url,
        "CRM_DATA": "/app/.data",
        "CRM_ATTACHMENTS": "/tmp/files",
        "CRM_IMPORTS": "/tmp/files",
        "CRM_ROOT": str(ROOT),
        "CRM_WRITES": str(ROOT / "written-by-a-pod"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = tmp_path / "setup.log"
    setup = pod(sys.executable, "-m", "services.cli", "setup", "--no-demo", environment=common, log=log)
    assert setup.wait(PATIENCE) == 0, log.read_text()
    ports, running = {role: any_free() for role in EVERY_ROLE}, {}
    try:
        for role, module in EVERY_ROLE.items():
            own = {"CRM_INSTANCE": f"{role}-abc", "CRM_HEALTH_PORT": str(ports[role])}
            own |= {f"CRM_{name}_PORT": str(any_free()) for name in ("INTAKE", "API")}
            log = tmp_path / f"{role}.log"
            running[role] = pod(sys.executable, "-m", module, environment=common | own, log=log)
        for role in EVERY_ROLE:
            for path in sorted(set(PROBES.values())):
                asyncio.run(until(lambda role=role, path=path: missing(ports[role], path), PATIENCE))
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        ends = {role: process.wait(PATIENCE) for role, process in running.items()}
    assert ends == dict.fromkeys(EVERY_ROLE, 0), {role: (tmp_path / f"{role}.log").read_text() for role in ends}


async def missing(port: int, path: str) -> str | None:
    try:
        status, text = await http_probe.get(port, path)
    except OSError as error:
        return str(error)
    return None if status == 200 else text
