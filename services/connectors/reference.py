"""Writes what is generated from the connectors: `python -m services.connectors.reference` (part of `make events`).

schemas/connectors.json is the catalogue for the kernel, the API and the command line; docs/integrations.md and the
table in README.md are for people.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from crm.connector_catalogue import FILE, ConnectorEntry
from crm.contract.generate import with_table
from crm.send_limits import Limits
from services.connectors import CONNECTORS

PAGE = FILE.parent.parent / "docs" / "integrations.md"
README = FILE.parent.parent / "README.md"
REPLIES = PAGE.with_name("replies.md")
SENDERS = "<!-- senders: made by `python -m services.connectors.reference` -->"
MARK = "<!-- connectors: made by `python -m services.connectors.reference` -->"
SHORT_PROOFS = {
    "signature": "signature",
    "shared secret": "secret in each delivery",
    "address": "the URL of the connection",
    "access token": "access token",
    "api key": "Potik asks the vendor",
}
PROOFS = {
    "signature": "The vendor signs each delivery with the connection's secret",
    "shared secret": "The vendor sends the connection's secret with each delivery",
    "address": "Only the vendor knows the connection's URL. Potik makes up a secret when you give none",
    "access token": "Your program sends an access token of the workspace: `crm token create`",
    "api key": "Nothing is sent to Potik: it asks the vendor, with the connection's secret as the key",
}


def outputs() -> dict[Path, str]:
    """Returns the text of each generated file."""
    entries = [connector.entry for connector in CONNECTORS.values()]
    listed = msgspec.json.format(msgspec.json.encode(entries), indent=2).decode() + "\n"
    readme = with_table(README.read_text("utf-8"), table(entries), MARK)
    replies = with_table(REPLIES.read_text("utf-8"), senders(), SENDERS)
    return {FILE: listed, PAGE: page(entries), README: readme, REPLIES: replies}


def table(entries: Iterable[ConnectorEntry]) -> str:
    """Returns the table of README.md, which is between two marks."""
    head = ("| connector | what it connects | how a delivery is authenticated |", "|---|---|---|")
    rows = (f"| [`{e.name}`]({folder(e)}/README.md) | {e.title} | {SHORT_PROOFS[e.proof]} |" for e in entries)
    return "\n".join((*head, *rows, ""))


def senders() -> str:
    """Returns the table of docs/replies.md: what each sender takes."""
    head = ("| connector | needs | text | files | when |", "|---|---|---|---|---|")
    rows = (sender(name, one.send.limits) for name, one in CONNECTORS.items() if one.send)
    return "\n".join((*head, *rows, ""))


def sender(name: str, limits: Limits) -> str:
    needs = ", ".join(f"`{setting}`" for setting in limits.needs) or "nothing more"
    longest = f"{limits.text:,} characters" if limits.text else "any length"
    longest = f"{limits.text_bytes:,} bytes" if limits.text_bytes else longest
    next_to = {0: "", -1: ", without a text"}.get(limits.caption, f", with at most {limits.caption:,} characters")
    less = ", ".join(f"{kind} {most // 1_000_000} MB" for kind, most in limits.kind_bytes.items())
    sizes = f"{limits.file_bytes // 1_000_000} MB{f' ({less})' if less else ''}"
    files = f"{limits.files}, each up to {sizes}{next_to}" if limits.files else "none"
    hours = f"{limits.window_hours} hours after the customer wrote" if limits.window_hours else "at any time"
    return f"| `{name}` | {needs} | {longest} | {files} | {hours}{', templates later' if limits.templates else ''} |"


def folder(entry: ConnectorEntry) -> str:
    return f"services/connectors/{entry.name.replace('-', '_')}"


def page(entries: Iterable[ConnectorEntry]) -> str:
    """Returns docs/integrations.md."""
    parts = [
        "# Integrations",
        "Generated from the connectors by `make events`; do not edit. "
        "How to write a connector: [connecting.md](connecting.md).",
        "`crm connect VENDOR` makes a connection. It sets the vendor's webhook if it is given the vendor's key, else "
        "it prints the URL to give the vendor; `crm integrations` shows which connections work. "
        "`crm connect VENDOR --help` lists the same settings as this page; in GraphQL they are the `settings` of "
        "`connectionAdd`.",
    ]
    for entry in entries:
        parts += section(entry)
    return "\n\n".join(parts) + "\n"


def section(entry: ConnectorEntry) -> Iterator[str]:
    yield f"## {entry.title}"
    readme = f" More: [README](../{folder(entry)}/README.md)."
    secret = f" The secret: {entry.secret}" if entry.secret else ""
    polled = f" With the setting `{entry.poll_key}`, Potik also asks the vendor on a clock." if entry.poll_key else ""
    more = f"{activated_by(entry)}{by_link(entry)}{polled}{readme}"
    yield f"`crm connect {entry.name}`. {PROOFS[entry.proof]}.{secret}{more}"
    if entry.settings:
        rows = [f"| `{setting.name}` | {setting.takes} | {setting.description} |" for setting in entry.settings]
        yield "\n".join(("| setting | takes | what it is for |", "|---|---|---|", *rows))


def by_link(entry: ConnectorEntry) -> str:
    if not entry.oauth:
        return ""
    instead = f"in place of the setting `{entry.oauth.setting}`" if entry.oauth.setting else "instead"
    given = f"With `--client-id` and `--client-secret` {instead}"
    return f" {given}, the command prints a link by which the account's owner permits it."


def activated_by(entry: ConnectorEntry) -> str:
    """Returns what must be given so that nothing has to be set at the vendor's, as a sentence."""
    if entry.activation is None:
        return ""
    keys = " and ".join(f"`{name}`" for name in entry.activation.needs)
    return f" With {keys}, Potik {'sets the webhook' if entry.activation.register else 'gets the secret'} itself."


if __name__ == "__main__":
    for file, text in outputs().items():
        file.write_text(text, encoding="utf-8")
