"""The receivers of docs/webhooks.md, as they stand there, take our deliveries and refuse forged ones."""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from crm.adapters.pinned_http import PinnedHttp
from crm.adapters.safe_http import NotReached
from crm.envelope import now
from services.outbound.webhooks.payload import body_of, headers_of, key_of, parts_of
from services.stack.ports import any_free
from services.stack.process import until
from tests.support.timeouts import TIMEOUT
from tests.support.tools import NODE, ROOT
from tests.support.webhook_receiver import SECRET
from tests.unit.services.outbound.webhooks.test_payload import MOVED, delivery

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language} receiver\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_a_receiver_of_the_docs(language: str, tmp_path: Path) -> None:
    if language == "python":
        file = tmp_path / "receiver.py"
        command: Sequence[str] = (sys.executable, str(file))
    else:
        (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "node" / "node_modules")
        file = tmp_path / "receiver.mts"
        command = (str(NODE), "--no-warnings", str(file))
    file.write_text(snippet(language))
    asyncio.run(received(command))


async def received(command: Sequence[str]) -> None:
    port = any_free()
    environment = {**os.environ, "SECRET": SECRET, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        async with PinnedHttp(["127.0.0.1"]) as http:
            body = body_of(delivery(), parts_of(delivery(), MOVED, thin=False))
            headers = headers_of(delivery(), body, [key_of(SECRET)], now())
            url = f"http://127.0.0.1:{port}/hooks"

            async def missing() -> str | None:
                try:
                    answer = await http.post(url, headers, body)
                except NotReached as reason:
                    return str(reason)
                return None if answer.status == 204 else f"it answers {answer.status}"

            await until(missing, TIMEOUT)
            assert b"DealStageMoved" in await process.stdout.readline()
            assert (await http.post(url, headers, body.replace(b"paid", b"lost"))).status == 401
            assert (await http.post(url, {**headers, "webhook-id": "other"}, body)).status == 401
    finally:
        process.kill()
        await process.wait()
