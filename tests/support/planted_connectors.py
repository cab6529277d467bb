"""Sources of connectors, right and wrong, that are planted in a package of their own."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

DECLARED = """from typing import Annotated, Any
from msgspec import Meta, Struct
from crm.connector import Connector, Webhook
from crm.connector_proofs import Signature
WEBHOOK = Webhook(lambda *_: None, lambda *_: [])
{extra}
CONNECTOR = Connector({call})
"""
OAUTH = """from crm.activation.declared import OAuth
from crm.connector_poll import Ask, Poll
POLL = Poll("https://a", lambda _: Ask())
"""
SETTINGS = "class Settings(Struct):\n    {field}\n"


def package(folder: Path, **modules: str) -> Any:
    """A package with a folder for each source, to be found like services.connectors."""
    name = f"planted_{folder.name.replace('-', '_')}"
    root = folder / name
    for module, source in {"": "", **modules}.items():
        (root / module).mkdir(parents=True, exist_ok=True)
        (root / module / "__init__.py").write_text(source)
    sys.path.insert(0, str(folder))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(folder))


def declared(call: str, extra: str = "") -> str:
    return DECLARED.format(call=call, extra=extra)
