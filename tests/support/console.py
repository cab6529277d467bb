"""The console in a browser: signed in, looked at, and checked for what it may not do."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support import rehearse
from tests.support.browser import Page
from tests.support.running_stack import RunningStack
from tests.support.tools import MODULES

AXE = MODULES / "axe-core" / "axe.min.js"
RUN_AXE = "axe.run().then(found => found.violations.map(one => one.id + ' ' + one.nodes[0].html))"
SHIFT = 8
DEAL = "query($phone: String!) { caller(phone: $phone) { contact { id deals(first: 1) { nodes { id stage } } } } }"


class ConsolePage:
    """A person's tab. `shots`: the folder for a picture of each screen."""

    def __init__(self, page: Page, address: str, shots: Path) -> None:
        self.page, self.address, self.shots = page, address, shots
        self.evaluate = page.evaluate

    def another(self) -> "ConsolePage":
        """Returns another tab of the same browser, signed in as this one."""
        return ConsolePage(Page(self.page.ws), self.address, self.shots)

    def sign_in(self, token: str) -> None:
        self.page.call("Page.navigate", url=f"{self.address}/console/sign-in#token={token}")
        self.page.wait_until_at("/console/board")
        self.wait_for("document.querySelector('.board')")

    def wait_for(self, expression: str) -> None:
        """Waits until the page is whole and the expression is true; one that throws is not true yet."""
        now = f"document.readyState == 'complete' && ({expression})"
        self.page.wait_for_script(f"(() => {{ try {{ return {now} }} catch {{ return false }} }})()")

    def open(self, path: str, ready: str = "document.querySelector('main')") -> None:
        self.page.events.clear()
        self.page.call("Page.navigate", url=f"{self.address}/console/{path}")
        self.page.wait_until_at(f"/console/{path}")
        self.wait_for(ready)

    def reload_by(self, script: str, path: str) -> None:
        """Runs a script after which the page is shown again."""
        self.page.events.clear()
        self.evaluate(script)
        self.page.wait_until_at(f"/console/{path}")

    def shoot(self, name: str) -> None:
        self.page.screenshot(self.shots / f"{name}.png")

    def tile(self, title: str) -> str:
        """Returns an expression for the board's card with this title."""
        return f"[...document.querySelectorAll('.tile')].find(tile => tile.innerText.includes({title!r}))"

    def key(self, name: str, modifiers: int = 0) -> None:
        for type in ("keyDown", "keyUp"):
            self.page.call("Input.dispatchKeyEvent", type=type, key=name, code=name, modifiers=modifiers)

    def press_enter(self) -> None:
        """As a key does it that has text: it follows the link or presses the button that has the focus."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.page.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.page.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def violations(self) -> Any:
        """Returns what axe finds: WCAG 2.2 AA and best practices."""
        self.evaluate(AXE.read_text("utf-8") + ";0")
        return self.evaluate(RUN_AXE)

    def refused(self) -> list[str]:
        """Returns what the content security policy refused, and the scripts' errors."""
        issues = [event["issue"] for event in self.page.parameters_of("Audits.issueAdded")]
        thrown = [str(event) for event in self.page.parameters_of("Runtime.exceptionThrown")]
        return [str(one["details"]) for one in issues if one["code"] == "ContentSecurityPolicyIssue"] + thrown


def encoded(text: str) -> str:
    return quote(text, safe="")


def lead(stack: RunningStack, name: str, phone: str) -> tuple[str, str]:
    """Posts a form. Returns the ids of its deal and its contact."""
    stack.accepts("form", rehearse.form({"Name": name, "Phone": phone}))
    contact = stack.ask_when_settled(DEAL, phone=phone)["caller"]["contact"]
    return contact["deals"]["nodes"][0]["id"], contact["id"]
