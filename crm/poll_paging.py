"""The ways in which vendors page, as data: each returns the request for the page after this one."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct, json, structs

from crm.connector_poll import Ask, Auth, LogIn, Page, Paging, PollFailed, Token
from crm.delivery import Connection


def next_number(parameter: str, items: tuple[str, ...], size: int, first: int = 1) -> Paging:
    """Pages are numbered; one with fewer than `size` items is the last."""

    def following(ask: Ask, page: Page) -> Ask | None:
        if len(page.at(*items) or ()) < size:
            return None
        return ask.with_parameter(parameter, str(int(ask.parameters.get(parameter, first)) + 1))

    return following


def next_offset(parameter: str, items: tuple[str, ...], size: int) -> Paging:
    """A page begins after so many items; one with fewer than `size` is the last."""

    def following(ask: Ask, page: Page) -> Ask | None:
        count = len(page.at(*items) or ())
        return (
            ask.with_parameter(parameter, str(int(ask.parameters.get(parameter, 0)) + count)) if count >= size else None
        )

    return following


def next_value(parameter: str, *path: str, more: tuple[str, ...] = ()) -> Paging:
    """Each page says what the next one is asked by. `more`: where it says whether there is one, if it does."""

    def following(ask: Ask, page: Page) -> Ask | None:
        value = page.at(*path)
        if value in (None, "", False) or (more and not page.at(*more)):
            return None
        return ask.with_parameter(parameter, str(value))

    return following


def last_item(parameter: str, items: tuple[str, ...], *id: str, size: int) -> Paging:
    """A page begins after the last item of the one before; one with fewer than `size` is the last."""

    def following(ask: Ask, page: Page) -> Ask | None:
        found = page.at(*items) or ()
        return ask.with_parameter(parameter, last_of(found, *id)) if len(found) >= size else None

    return following


def last_of(items: Any, *path: str) -> str:
    """Returns a value of the last item as text; empty when there is no item. Raises PollFailed when it has none."""
    if not items:
        return ""
    value = items[-1]
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        raise PollFailed(f"The last item of the vendor's page has no {'.'.join(path)}.")
    return str(value)


def last_id(items: tuple[str, ...], *path: str) -> Callable[[Page], str]:
    """For ByValue: the last item's id, empty for a page without items."""
    return lambda page: last_of(page.at(*items), *path)


def next_link(*path: str) -> Paging:
    """Each page has the URL of the next: in its body, or without a path in the header Link (RFC 8288)."""

    def following(ask: Ask, page: Page) -> Ask | None:
        link = page.at(*path) if path else _of_header(page.headers)
        if not link:
            return None
        parts = urlsplit(str(link))
        whole = parts._replace(query="").geturl()
        return structs.replace(ask, path=whole, parameters=dict(parse_qsl(parts.query, keep_blank_values=True)))

    return following


def _of_header(headers: Mapping[str, str]) -> str:
    for part in headers.get("link", "").split(","):
        link, _, rel = part.partition(";")
        if 'rel="next"' in rel or "rel=next" in rel:
            return link.strip().strip("<>")
    return ""


class _Granted(Struct):
    access_token: str
    expires_in: int = 0
    refresh_token: str = ""


def oauth2(url: str, header: str = "authorization", prefix: str = "Bearer ", setting: str = "") -> Auth:
    """OAuth 2 by refresh token (RFC 6749, section 6). The connection's secret is three parts by colons: the id of the
    client, its secret, the refresh token; `setting`: a setting is, in its place. A refresh token that the vendor
    replaces is kept with the cursor."""

    def ask(connection: Connection, key: str) -> Ask:
        given = (connection.settings.get(setting, "") if setting else connection.secret).strip()
        id, _, rest = given.partition(":")
        secret, _, refresh = rest.partition(":")
        token = refresh if key == given else key
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": id, "client_secret": secret}
        body = urlencode(form).encode()
        return Ask(url, method="POST", body=body, headers={"content-type": "application/x-www-form-urlencoded"})

    return Auth(header, prefix, log_in=LogIn(ask, read_token))


def read_token(page: Page) -> Token:
    """Reads the answer of RFC 6749. Raises PollFailed without showing it."""
    try:
        found = json.decode(page.body, type=_Granted, strict=False)
    except ValueError:
        raise PollFailed("The vendor's answer to the log-in holds no access_token.") from None
    return Token(found.access_token, found.expires_in, found.refresh_token)
