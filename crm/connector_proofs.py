"""How a vendor proves that a delivery is its own."""

from typing import ClassVar

from msgspec import Struct

from crm.connector_catalogue import Proves


class Signature(Struct, frozen=True):
    """The vendor signs each delivery. `secret` says what the connection's secret is and where to copy it from.

    `pattern`: the whole secret matches this regular expression, so that something else that was pasted is refused.
    """

    secret: str
    pattern: str = ""
    proves: ClassVar[Proves] = "signature"


class SharedSecret(Struct, frozen=True):
    """The vendor sends a secret with each delivery. `secret` says which, `pattern` is as in Signature."""

    secret: str
    pattern: str = ""
    proves: ClassVar[Proves] = "shared secret"


class UnguessableAddress(Struct, frozen=True):
    """The vendor proves nothing but that it knows the connection's URL: Potik makes up a secret when none is given."""

    secret: str = ""
    pattern: ClassVar[str] = ""
    proves: ClassVar[Proves] = "address"


class AccessToken(Struct, frozen=True):
    """The client sends an access token of the workspace to /facts; there is no URL of the connection's own."""

    secret: str = ""
    pattern: ClassVar[str] = ""
    proves: ClassVar[Proves] = "access token"


class ApiKey(Struct, frozen=True):
    """Potik asks the vendor's API; nothing comes in by itself. `secret` says what the connection's secret is and where
    to copy it from, `pattern` is as in Signature."""

    secret: str
    pattern: str = ""
    proves: ClassVar[Proves] = "api key"


Proof = Signature | SharedSecret | UnguessableAddress | AccessToken | ApiKey
