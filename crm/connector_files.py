"""How a file is fetched that its vendor names by an id, or keeps behind a log-in: data, and a function where it signs.

In each text `{name}` is filled in: a setting of the connection, its `secret`, the `ref` of the file, the `link` found.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from crm.activation.requests import filled, header
from crm.attachments import is_web_address
from crm.delivery import Connection

Values = Mapping[str, str]


class Files(Struct, frozen=True):
    """What a vendor is asked for a file. `headers` go to `look_up` and to addresses of `with_key`, and nowhere else."""

    needs: tuple[str, ...]  # settings (or `secret`); while one is missing, no key is used
    look_up: str = ""  # an address: its JSON says where the file is. Empty: there is nothing to ask for an id
    link: str = ""  # where in that JSON, such as result.file_path; empty: the answer is the file
    file: str = "{link}"  # the address of the file
    headers: Mapping[str, str] = {}  # what follows `Basic ` is encoded as HTTP wants it
    with_key: tuple[str, ...] = ()  # how addresses begin, from https:// on and to a slash, that get the headers
    sign: Callable[[str, Values], Mapping[str, str]] | None = None  # (address, values) -> more headers


class FileRequest(Struct, frozen=True):
    """A GET. `keyed`: it has the key of the connection, which its address may hold as well."""

    url: str
    headers: Mapping[str, str]
    keyed: bool


def values_of(connection: Connection) -> Values:
    return {**connection.settings, "secret": connection.secret}


def lacking(files: Files, values: Values) -> str:
    """Returns the settings that are not given, as words; empty when all are."""
    return " and ".join(name for name in files.needs if not values.get(name))


def look_up(files: Files, ref: str, values: Values) -> FileRequest:
    """Returns the question where a file is."""
    url = filled(files.look_up, {**values, "ref": quote(ref, safe="")})
    return FileRequest(url, _headers(files, url, values), True)


def file_at(files: Files, link: str, values: Values) -> FileRequest:
    """Returns the request for a file at what the vendor answered."""
    if is_web_address(link):
        return addressed(files, link, values)
    return FileRequest(filled(files.file, {**values, "link": quote(link)}), {}, True)


def addressed(files: Files, url: str, values: Values) -> FileRequest:
    """Returns the request for a file at an address: with the key where the vendor asks for it."""
    mine = not lacking(files, values) and ".." not in url and "%2e" not in url.lower()
    if mine and url.startswith(tuple(filled(one, values) for one in files.with_key)):
        return FileRequest(url, _headers(files, url, values), True)
    return FileRequest(url, {}, False)


def link_in(answer: Any, path: str) -> str:
    """Returns the text at a path of names; empty where there is none."""
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, str) else ""


def _headers(files: Files, url: str, values: Values) -> Mapping[str, str]:
    plain = {name: header(filled(text, values)) for name, text in files.headers.items()}
    return {**plain, **files.sign(url, values)} if files.sign else plain
