"""The link by which the owner of an account at a vendor permits access, and its `state`: what is wanted, encrypted
and authenticated with the keys of the installation. Nothing is written before the owner has agreed.

The state is good for ten minutes, for one workspace, connector and connection. It is used once: see api/http/oauth.py.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from crm.activation.oauth import authorize_link
from crm.connector_catalogue import ConnectorEntry
from crm.connector_settings import check_settings
from crm.delivery import Connection
from crm.envelope import named_id, now
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeyLost, SecretKeys

PATH = "/oauth/callback"  # of intake: what people give to the vendor as the redirect address
SECONDS = 600
AHEAD = 60  # seconds by which the clock of another machine may be ahead
ABOUT = "oauth state"


class BadState(Exception):
    """A state is not of this installation, or not of these ten minutes. The sentence is for people."""


class Pending(Struct, frozen=True, repr_omit_defaults=True):
    """What is wanted. `connection`: the one that gets a new permission, and `before` is a digest of what it has;
    `settings` are those of a new one. `token`: whose access token the link was made with; empty by the command line."""

    nonce: str
    at: Micros
    workspace: Id
    connector: str
    name: str
    settings: dict[str, str]
    client: tuple[str, str]  # id and secret of the application at the vendor
    redirect: str
    verifier: str = ""
    connection: Id | None = None
    before: str = ""
    actor: str = ""
    token: str = ""

    @property
    def command_id(self) -> Id:
        """The id of the command that ends it: the same whenever the state is sent."""
        return named_id(self.workspace, f"command/oauth/{self.nonce}")

    @property
    def made(self) -> Id:
        """The connection that it is about, which may not be there yet."""
        return self.connection or named_id(self.command_id, "connection")

    def __repr__(self) -> str:
        return f"Pending({self.connector}, {self.made})"


class Link(Struct, frozen=True):
    """What a person needs. `redirect` is what the application at the vendor must allow."""

    url: str
    redirect: str
    expires_at: Micros


def new_link(
    entry: ConnectorEntry | None,
    keys: SecretKeys,
    base: str,
    workspace: Id,
    client: tuple[str, str],
    settings: Mapping[str, str],
    *,
    name: str = "",
    known: Connection | None = None,
    actor: str = "",
    token: str = "",
) -> Link:
    """Returns a link. `base`: the URL of intake as people reach it; `known`: the connection that gets a new secret.

    Raises ValueError with a sentence, and NoSecretKey.
    """
    if entry is None or entry.oauth is None:
        raise ValueError(f"{entry.name if entry else 'This vendor'} gives no access by a link.")
    if known and settings:
        raise ValueError("The settings of a connection stay as they are when it gets a new permission: leave them out.")
    client = (client[0].strip(), client[1].strip())
    if not all(client) or any(":" in part or not part.isprintable() for part in client):
        raise ValueError(f"{entry.name} needs the id and the secret of your application, as the vendor shows them.")
    if entry.oauth.setting in settings:
        raise ValueError(f"The setting {entry.oauth.setting!r} comes of the link: leave it out.")
    if known is None:
        if entry.oauth.setting and entry.needs_secret:
            raise ValueError(f"Connect {entry.name} with its secret first; a link is for that connection then.")
        check_settings(entry.name, entry.settings, settings)
    verifier = secrets.token_urlsafe(48) if entry.oauth.pkce else ""
    pending = Pending(
        secrets.token_urlsafe(16), now(), workspace, entry.name, name.strip() or entry.name, dict(settings), client,
        base + PATH, verifier, known.id if known else None, digest(known, entry.oauth.setting), actor, token,
    )  # fmt: skip
    state, values = sealed(pending, keys), filled_in(entry, known.settings if known else settings)
    url = authorize_link(entry.oauth, values, client[0], pending.redirect, state, verifier)
    return Link(url, pending.redirect, Micros(pending.at + SECONDS * 1_000_000))


def filled_in(entry: ConnectorEntry, settings: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings with what holds where nothing is given."""
    return {one.name: one.default for one in entry.settings if one.default} | {k: v for k, v in settings.items() if v}


def sealed(pending: Pending, keys: SecretKeys) -> str:
    """Returns a state as text for a URL. Raises NoSecretKey."""
    return text(keys.encrypt(msgspec.json.encode(pending), ABOUT))


def text(encrypted: bytes) -> str:
    return base64.urlsafe_b64encode(encrypted).decode().rstrip("=")


def opened(state: str, keys: SecretKeys, at: Micros) -> Pending:
    """Returns what is wanted. Raises BadState."""
    try:
        encrypted = base64.b64decode(state + "=" * (-len(state) % 4), altchars=b"-_", validate=True)
        if text(encrypted) != state:  # base64 has several spellings of the last byte
            raise ValueError
        pending = msgspec.json.decode(keys.decrypt(encrypted, ABOUT), type=Pending)
    except (SecretKeyLost, ValueError):  # of base64, of UTF-8 and of JSON
        raise BadState("This link is not of this installation, or it was changed on its way.") from None
    if not -AHEAD <= (at - pending.at) / 1_000_000 <= SECONDS:
        raise BadState(f"This link is older than {SECONDS // 60} minutes.")
    return pending


def digest(connection: Connection | None, setting: str) -> str:
    """Returns what tells whether a connection has got another secret or permission meanwhile; empty when there is
    none. `setting`: see OAuth."""
    if connection is None:
        return ""
    kept = f"{connection.id}\n{connection.secret}\n{connection.settings.get(setting, '')}"
    return hashlib.sha256(kept.encode()).hexdigest()
