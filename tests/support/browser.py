"""Drives a headless Chromium over the DevTools protocol and keeps its events."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.timeouts import TIMEOUT

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

EACH_FRAME = """new Promise(found => {
  const look = () => { const value = %s; if (value) found(value instanceof Node || value); else setTimeout(look, 10); };
  look();
})"""


class PageLeft(AssertionError):
    """The tab went to another page while a script ran."""


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
        while (message := json.loads(self.ws.recv(TIMEOUT))).get("id") != self.calls:
            self.events.append(message)
        if "error" in message:
            said = f"{method}: {message['error']}"
            raise PageLeft(said) if re.search("navigated|context|collected", said) else AssertionError(said)
        return message["result"]

    def evaluate(self, script: str) -> Any:
        """Returns the script's value, or its promise's."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Waits until the expression is true and returns its value; true for an element. Of the page that a link or a
        key leads to, where the tab leaves the one before meanwhile."""
        try:
            while True:
                with suppress(PageLeft):
                    return self.evaluate(SOON % expression)
        except TimeoutError:
            raise AssertionError(
                f"{expression} stays false of {self.evaluate('document.body.innerText')[:1000]}"
            ) from None

    def wait_for_script(self, expression: str) -> Any:
        """`wait_for` for what no mutation of the document shows, such as what is in a shadow root."""
        try:
            while True:
                with suppress(PageLeft):
                    return self.evaluate(EACH_FRAME % expression)
        except TimeoutError:
            raise AssertionError(f"{expression} stays false") from None

    def wait_until_at(self, path: str) -> None:
        """Waits until the tab shows an address that ends with the path, as after a link or a form."""
        while not any(event["frame"]["url"].endswith(path) for event in self.parameters_of("Page.frameNavigated")):
            self.events.append(json.loads(self.ws.recv(TIMEOUT)))

    def parameters_of(self, method: str) -> list[dict[str, Any]]:
        """Returns the parameters of the events of a method so far."""
        return [event["params"] for event in self.events if event["method"] == method]

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """Starts a browser with an empty profile."""
    assert CHROMIUM
    command = [CHROMIUM, *OPTIONS.split(), f"--user-data-dir={profile}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if line.startswith("DevTools listening on "))
            with connect(line.split()[-1], proxy=None, open_timeout=TIMEOUT, max_size=None, ping_interval=None) as ws:
                yield Page(ws)
        finally:
            process.terminate()
