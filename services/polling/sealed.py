"""A key that a vendor gave in place of the connection's, encrypted for that connection and that older key."""

from crm.secret_keys import SecretKeyLost, SecretKeys
from services.polling.account import Account, key_digest


class SealedKeys:
    """Encrypts with the keys of this process."""

    def __init__(self, keys: SecretKeys) -> None:
        self.keys = keys

    def seal(self, key: str, at: int, account: Account) -> bytes:
        return self.keys.encrypt(f"{at} {key}".encode(), about(account))

    def unseal(self, sealed: bytes, account: Account) -> tuple[str, int] | None:
        """None when it cannot be decrypted, or the connection has another key by now."""
        try:
            text = self.keys.decrypt(sealed, about(account)).decode()
        except SecretKeyLost:
            return None
        at, _, key = text.partition(" ")
        return (key, int(at)) if key and at.isdecimal() else (text, 0)  # an earlier release kept no time


def about(account: Account) -> str:
    own = account.connection
    replaced = key_digest(own.connector, account.poll.key_of(own))
    return f"polled key {own.workspace} {own.id} {own.connector} {replaced}"
