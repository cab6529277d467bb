"""Files of mails through every real role: of a small mail out of its record, of a large one stored by intake."""

from collections.abc import Iterator

import pytest

from crm.connector import Delivery
from crm.envelope import now
from services.connectors.rehearsal import rehearsals
from tests.support.large_mails import AS_POSTED, content, eml
from tests.support.running_stack import RunningStack
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import Terminal

BIG, SMALL = content(9_000_000), content(2_000, b"2")
QUERY = """{ conversations(first: 5) { nodes { messages(first: 5) { nodes {
  text attachments { name size stored reason } } } } } }"""
REFS = QUERY.replace("name size stored reason", "ref")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with a place for files."""
    if IN_CONTAINERS:
        pytest.skip("is about the embedded servers")
    terminal = Terminal(tmp_path_factory.mktemp("files"))
    terminal.environment["CRM_ATTACHMENTS"] = str(terminal.data / "files")
    stack = RunningStack(terminal, terminal.start_stack())
    try:
        yield stack
    finally:
        stack.close()
        terminal.run("down")


def post(stack: RunningStack, form: str, *files: bytes) -> tuple[int, int]:
    """Returns the answers to a mail, and to one that a stranger sends."""
    vendor, (body, kind) = form.split()[0], AS_POSTED[form](*files)
    assert stack.demo
    statuses = []
    for seed in (stack.demo.seed, "a stranger's"):
        signed = rehearsals()[vendor].sign(Delivery({"content-type": kind}, body, now()), seed)
        statuses.append(stack.deliver(vendor, (dict(signed.headers), signed.body)).status_code)
    return statuses[0], statuses[1]


def test_files_of_mails_are_stored_and_served(stack: RunningStack) -> None:
    assert post(stack, "postmark", BIG) == (200, 401)
    body = eml(SMALL, text="Small", id="small@mail.example.net")
    assert stack.deliver("smtp", ({"content-type": "message/rfc822"}, body)).status_code == 200

    def messages(data: object) -> list[dict[str, object]]:
        found = data["conversations"]["nodes"]  # type: ignore[index]  # JSON
        return sorted((one for chat in found for one in chat["messages"]["nodes"]), key=lambda one: str(one["text"]))

    def settled(data: object) -> list[dict[str, object]]:
        found = [one for one in messages(data) if one["attachments"]]
        return found if len(found) == 2 and all(one["attachments"][0]["stored"] for one in found) else []  # type: ignore[index]  # JSON

    found = stack.wait_for_match(QUERY, settled)
    assert [one["attachments"] for one in found] == [
        [{"name": "0.png", "size": len(SMALL), "stored": True, "reason": ""}],
        [{"name": "0.png", "size": len(BIG), "stored": True, "reason": ""}],
    ]
    api = stack.graphql_url.removesuffix("/graphql")
    refs = [one["attachments"][0]["ref"] for one in messages(stack.ask(REFS)) if one["attachments"]]  # type: ignore[index]  # JSON
    for ref, file in zip(refs, (SMALL, BIG), strict=True):
        headers = {"authorization": f"Bearer {stack.token}"}
        answer = stack.http.get(f"{api}/attachments", params={"ref": ref}, headers=headers)
        assert (answer.status_code, answer.content) == (200, file)
        cookie = {"cookie": f"potik={stack.token}"}
        shown = stack.http.get(f"{api}/console/files", params={"ref": ref}, headers=cookie)
        assert (shown.status_code, shown.content) == (200, file)
        assert "attachment" in shown.headers["content-disposition"]
    assert stack.http.get(f"{api}/console/files", params={"ref": refs[0]}).status_code == 401
