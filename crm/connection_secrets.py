"""The secret and the settings of a connection, as they lie on crm.connections: encrypted, and bound to it."""

import msgspec
from msgspec.structs import replace

from crm.facts import ConnectionDeclared
from crm.secret_keys import SecretKeyLost, SecretKeys, key_of

SECRET, SETTINGS = "secret", "settings"


def in_clear(fact: ConnectionDeclared) -> bool:
    """Whether something of it lies there in clear, as releases before encryption wrote it."""
    return bool(fact.secret or fact.settings)


def sealed(fact: ConnectionDeclared, keys: SecretKeys) -> ConnectionDeclared:
    """Returns the declaration with what is in clear encrypted. What is encrypted stays. Raises NoSecretKey."""
    secret, settings = fact.sealed_secret, fact.sealed_settings
    if fact.secret:
        secret = keys.encrypt(fact.secret.encode(), _about(fact, SECRET))
    if fact.settings:
        settings = keys.encrypt(msgspec.json.encode(fact.settings), _about(fact, SETTINGS))
    return replace(fact, secret="", settings={}, sealed_secret=secret, sealed_settings=settings)


def opened(fact: ConnectionDeclared, keys: SecretKeys) -> tuple[str, dict[str, str]]:
    """Returns the secret and the settings in clear. Raises SecretKeyLost with a sentence for people."""
    secret, settings = fact.secret, fact.settings
    try:
        if fact.sealed_secret:
            secret = keys.decrypt(fact.sealed_secret, _about(fact, SECRET)).decode()
        if fact.sealed_settings:
            plain = keys.decrypt(fact.sealed_settings, _about(fact, SETTINGS))
            settings = msgspec.json.decode(plain, type=dict[str, str])
    except SecretKeyLost as lost:
        raise SecretKeyLost(
            f"The secret of the connection {fact.connection} ({fact.connector}) {lost}. Its deliveries are answered "
            "503 and nothing is kept, so vendors send them again. Put that key back (docs/secrets.md), or give the "
            f"connection a new secret: `crm connect {fact.connector} --connection {fact.connection}`."
        ) from None
    return secret, settings


def key_ids(fact: ConnectionDeclared) -> frozenset[str]:
    """Returns the ids of the keys that it is encrypted with."""
    return frozenset(key_of(part) for part in (fact.sealed_secret, fact.sealed_settings) if part)


def _about(fact: ConnectionDeclared, part: str) -> str:
    return f"{part} {fact.meta.workspace} {fact.connection} {fact.connector}"
