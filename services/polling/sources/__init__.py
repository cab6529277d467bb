"""What vendors are asked about, where a poll declares it by name: one file a source, found by its name.

A file has `async def subjects(connection: Connection, database_url: str) -> Sequence[str]`: all that is to be asked
about now for this connection. A subject is a text of any form; the poll's `ask` gets it as it is. It is called once a
turn, opens what it needs and closes it. What it raises is said in the connection's state and tried again later.
"""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from crm.delivery import Connection
from crm.errors import Broken

Source = Callable[[Connection, str], Awaitable[Sequence[str]]]


def source(name: str) -> Source:
    """Returns the source of a name. Raises Broken when there is none."""
    path = f"{__name__}.{name}"
    if find_spec(path) is None:
        raise Broken(f"There is no source of subjects {name!r}: {path.replace('.', '/')}.py.")
    found: Source = import_module(path).subjects
    return found
