"""A headless Chromium, told what to do over its DevTools protocol; what it asked, refused and logged is kept."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.patience import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --no-proxy-server "
    "--disable-background-networking --disable-component-update --remote-debugging-port=0 --window-size=1400,900"
)
SOON = """new Promise(found => {
  const look = () => { const value = %s; if (value) { watch.disconnect(); found(value instanceof Node || value); } };
  const watch = new MutationObserver(look);
  watch.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  look();
})"""


class Page:
    """One tab. A method that the browser refuses, or a script that throws, raises AssertionError."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws, self.calls, self.session = ws, 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        self.calls += 1
        session = {"sessionId": self.session} if self.session else {}
        self.ws.send(json.dumps({"id": self.calls, "method": method, "params": params} | session))
        while (told := json.loads(self.ws.recv(PATIENCE))).get("id") != self.calls:
            self.events.append(told)
        assert "error" not in told, f"{method}: {told['error']}"
        return told["result"]

    def runs(self, script: str) -> Any:
        """What the script gives, or what its promise comes to."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def sees(self, expression: str) -> Any:
        """Waits until the expression is true of the document, and gives its value, true for an element."""
        try:
            return self.runs(SOON % expression)
        except TimeoutError:
            raise AssertionError(f"{expression} stays false of {self.runs('document.body.innerText')[:1000]}") from None

    def told(self, method: str) -> list[dict[str, Any]]:
        """The parameters of the events of a kind, until now."""
        return [event["params"] for event in self.events if event["method"] == method]

    def photograph(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A browser of its own, with an empty profile."""
    assert CHROMIUM
    command = [CHROMIUM, *OPTIONS.split(), f"--user-data-dir={profile}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if line.startswith("DevTools listening on "))
            with connect(line.split()[-1], proxy=None, open_timeout=PATIENCE, max_size=None) as ws:
                yield Page(ws)
        finally:
            process.terminate()
