"""The secret and the settings of a connection, as they lie on crm.connections: encrypted, and bound to it."""

import base64
import secrets

import msgspec
from msgspec.structs import replace

from crm.events import WebhookAdded, WebhookRemoved, WebhookRotated
from crm.facts import ConnectionDeclared
from crm.scalars import Micros
from crm.secret_keys import SecretKeyLost, SecretKeys, key_of

SECRET, SETTINGS = "secret", "settings"
WEBHOOK_PREFIX = "whsec_"
WEBHOOK = "webhook"  # in place of a connector: the secret of a webhook is kept like that of a connection
PREVIOUS, BOTH_UNTIL = "previous", "both_until"  # of a webhook: the secret before, and until when it signs too


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


def new_webhook_secret() -> str:
    """Returns a secret of Standard Webhooks: 32 random bytes."""
    return WEBHOOK_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def webhook_declared(
    event: WebhookAdded | WebhookRotated | WebhookRemoved,
    secret: str,
    previous: str = "",
    both_until: Micros | None = None,
    enabled: bool = True,
) -> ConnectionDeclared:
    """Returns the declaration of a webhook's secrets."""
    settings = {PREVIOUS: previous, BOTH_UNTIL: str(both_until)} if previous and both_until else {}
    return ConnectionDeclared(event.meta, event.webhook_id, WEBHOOK, event.name, secret, settings, enabled)


def key_ids(fact: ConnectionDeclared) -> frozenset[str]:
    """Returns the ids of the keys that it is encrypted with."""
    return frozenset(key_of(part) for part in (fact.sealed_secret, fact.sealed_settings) if part)


def _about(fact: ConnectionDeclared, part: str) -> str:
    return f"{part} {fact.meta.workspace} {fact.connection} {fact.connector}"
