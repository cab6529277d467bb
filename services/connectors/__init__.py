"""Every connector: one vendor, one folder, found by looking. See docs/connecting.md for how to write one."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from crm.connector import Connector
from crm.connector_proofs import AccessToken, Proof
from crm.errors import Broken
from crm.topics import INTAKE

SHARED = ("formats", "mails", "signatures", "submissions")  # folders that are no vendors


def find_connectors(package: ModuleType) -> dict[str, Connector]:
    """Returns the connectors of a package by name, in alphabetical order.

    Raises Broken with one sentence when a folder cannot be imported, misses a part or has the name of another.
    """
    found: dict[str, Connector] = {}
    for folder in iter_modules(package.__path__):
        if folder.ispkg and folder.name not in SHARED:
            path = f"{package.__name__}.{folder.name}".replace(".", "/")
            connector = _load(f"{package.__name__}.{folder.name}", path)
            if connector.name in found:
                raise Broken(f"{path}: another folder has a connector {connector.name!r} too. Rename one of them.")
            if why := _problem(connector, folder.name):
                raise Broken(f"{path}: {why}.")
            found[connector.name] = connector
    return dict(sorted(found.items()))


def _load(module: str, path: str) -> Connector:
    try:
        connector = getattr(import_module(module), "CONNECTOR", None)
    except Exception as error:
        raise Broken(f"{path} cannot be imported: {type(error).__name__}: {error}.") from error
    if not isinstance(connector, Connector):
        raise Broken(f"{path}/__init__.py has no CONNECTOR = Connector(...). See docs/connecting.md.")
    return connector


def _problem(connector: Connector, folder: str) -> str:
    """Returns why a connector cannot be used; empty when it can."""
    if connector.name != folder.replace("_", "-"):
        return f"its connector is named {connector.name!r}, not as its folder"
    if not connector.title:
        return "its connector has no title: one line that says to people what it connects"
    if connector.family not in INTAKE:
        return f"its family is {connector.family!r}, not one of {', '.join(INTAKE)}"
    if not isinstance(connector.proof, Proof):
        return f"its proof is {connector.proof!r}, not one of crm/connector_proofs.py"
    poll = connector.poll
    if connector.webhook is None and poll is None and not isinstance(connector.proof, AccessToken):
        return "its connector receives nothing: give it the Webhook of its webhook.py or the Poll of its poll.py"
    if poll and connector.webhook is None and poll.parse is None:
        return "its poll has no parse, and there is no webhook whose parse it could use"
    if connector.oauth and (poll is None or poll.key != connector.oauth.setting):
        return "its OAuth keeps the permission elsewhere than its poll reads it: OAuth(setting=...) is Poll(key=...)"
    if connector.oauth and {"client_id", "client_secret"} & set(connector.settings.__struct_fields__):
        return "its settings have the name of an option by which `crm connect` makes a link: client_id, client_secret"
    try:
        entry = connector.entry
    except Broken as error:
        return str(error)
    return "its proof does not say what the secret is" if entry.needs_secret and not entry.secret else ""


try:
    CONNECTORS = find_connectors(sys.modules[__name__])
except Broken as error:  # a sentence instead of a traceback: this module is imported before a role has started
    raise SystemExit(str(error)) from None
