"""Answers on the running stack, from the shell and by GraphQL: sent once, in doubt, and settled by a person."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.connectors.rehearsal import rehearsals
from services.demo.vendors import port_of
from tests.support import rehearse
from tests.support.running_stack import RunningStack, wait_until

MESSAGES = """query($id: ID!) { conversation(id: $id) { messages(first: 20) { nodes {
  id text status direction failure message } } } }"""


class Telegram(ThreadingHTTPServer):
    """Telegram in place of the demo's own. While it is `dying`, it takes messages and gives no answer of its own."""

    dying = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.taken: list[tuple[str, str]] = []


class Request(BaseHTTPRequestHandler):
    """One message."""

    server: Telegram

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        take = rehearsals()["telegram"].take
        assert take
        found = take(self.path, body)
        assert found
        self.server.taken.append(found[1])
        self.send_response(502 if self.server.dying else 200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}" if self.server.dying else found[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def telegram(stack: RunningStack) -> Iterator[Telegram]:
    with Telegram(port_of(stack.data)) as vendor:
        thread = threading.Thread(target=vendor.serve_forever, daemon=True)
        thread.start()
        try:
            yield vendor
        finally:
            vendor.shutdown()
            thread.join()


def conversation_of(stack: RunningStack, chat: int, text: str) -> str:
    """Lets a customer write, and returns the conversation as the shell shows it."""
    secret = stack.secret("telegram")
    stack.accepts("telegram", rehearse.telegram_message(secret, chat, chat, text))
    stack.settle()
    (found,) = [one for one in stack.terminal.run_json("replies waiting") if one["last_text"] == text]
    assert found["channel"] == "telegram"
    return str(found["conversation_id"])


def statuses(stack: RunningStack, conversation: str) -> list[tuple[str, str]]:
    nodes = stack.ask(MESSAGES, id=conversation)["conversation"]["messages"]["nodes"]
    return sorted((one["text"], one["status"]) for one in nodes if one["direction"] == "out")


def becomes(stack: RunningStack, conversation: str, *expected: tuple[str, str]) -> None:
    def missing() -> str | None:
        found = statuses(stack, conversation)
        return None if found == list(expected) else f"{found}, not {list(expected)}"

    wait_until(missing)


def test_an_answer_from_the_shell_arrives_once(stack: RunningStack) -> None:
    conversation = conversation_of(stack, 7101, "Чи_є_стіл?")
    with telegram(stack) as vendor:
        own = stack.terminal.run_json(f"replies send {conversation} Так,є --author olena")
        becomes(stack, conversation, ("Так,є", "sent"))
        assert vendor.taken == [("7101", "Так,є")]
    refused = stack.terminal.run(f"replies resolve {own['message_id']} again", expect=1)
    assert "This answer is sent already. Nothing was changed." in refused.stderr
    answered = [one["conversation_id"] for one in stack.terminal.run_json("replies waiting")]
    assert conversation not in answered


def test_an_answer_that_waits_says_why(stack: RunningStack) -> None:
    conversation = conversation_of(stack, 7102, "Коли_доставка?")
    own = stack.terminal.run_json(f"replies send {conversation} Завтра")["message_id"]

    def missing() -> str | None:
        found = [one for one in stack.terminal.run_json("replies list") if one["message_id"] == own]
        said = [(one["status"], one["waits_for"]) for one in found]
        return None if said == [("queued", "The vendor cannot be reached: ConnectError.")] else f"{said}"

    wait_until(missing)
    with telegram(stack) as vendor:
        becomes(stack, conversation, ("Завтра", "sent"))
        assert vendor.taken == [("7102", "Завтра")]


def test_a_vendor_that_dies_after_taking_a_message_leaves_a_doubt_that_a_person_settles(stack: RunningStack) -> None:
    conversation = conversation_of(stack, 7103, "Скільки_коштує?")
    with telegram(stack) as vendor:
        vendor.dying = True
        own = stack.terminal.run_json(f"replies send {conversation} 1250")["message_id"]
        becomes(stack, conversation, ("1250", "uncertain"))
        vendor.dying = False
        second = stack.terminal.run_json(f"replies send {conversation} грн")["message_id"]
        becomes(stack, conversation, ("1250", "uncertain"), ("грн", "sent"))
        (doubt,) = stack.terminal.run_json("replies list --status uncertain")
        assert (doubt["message_id"], doubt["failure"]) == (own, "The vendor answered 502.")
        assert "crm replies resolve ID sent" in stack.terminal.run("replies list").stderr.replace("\n", " ")
        stack.terminal.run_json(f"replies resolve {own} again --author olena")
        becomes(stack, conversation, ("1250", "sent"), ("грн", "sent"))
        assert vendor.taken == [("7103", "1250"), ("7103", "грн"), ("7103", "1250")]
    assert own != second
    assert json.loads(stack.terminal.run("replies list --status uncertain --json").stdout) == []
