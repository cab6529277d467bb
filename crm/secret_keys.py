"""The keys that encrypt the secrets of connections: AES-256-GCM. The first key encrypts, all decrypt.

A ciphertext begins with a version and the id of its key. It is bound to what it is about, so that it decrypts nowhere
else.
"""

import base64
import hashlib
import hmac
import secrets
from binascii import Error as NotBase64
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm.errors import Broken
from crm.settings import Settings

VERSION, ID_BYTES, NONCE_BYTES, KEY_BYTES = b"\x01", 4, 12, 32
HEAD = len(VERSION) + ID_BYTES
VARIABLE, FILE_VARIABLE = "CRM_SECRETS_KEY", "CRM_SECRETS_KEY_FILE"
MAKE_ONE = "`crm secrets key` prints a new one"


class NoSecretKey(Broken):
    """There is no key to encrypt with."""


class SecretKeyLost(Broken):
    """No key of this process decrypts what is there."""


class SecretKeys:
    """Keys as text, separated by commas or white space, or a file of them that is read again when it has changed."""

    def __init__(self, text: str = "", file: Path | None = None) -> None:
        """Raises ValueError when a key is none."""
        self.file, self._stamp = file, (0, 0)
        self._ciphers: dict[bytes, AESGCM] = {}  # by key id, in order
        self._signers: list[bytes] = []  # of the same keys
        if file is None:
            self._take(text, VARIABLE)
        else:
            self.refresh()

    @classmethod
    def of(cls, settings: Settings, default: Path | None = None) -> Self:
        """Returns the keys of CRM_SECRETS_KEY, else of the file CRM_SECRETS_KEY_FILE, else of the default file."""
        if text := settings.secrets_key.strip():
            return cls(text)
        file = Path(settings.secrets_key_file).expanduser() if settings.secrets_key_file else default
        return cls(file=file) if file else cls()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the one that encrypts first. An id says nothing about its key."""
        return tuple(id.hex() for id in self._ciphers)

    def refresh(self) -> bool:
        """Reads the file again if it has changed. Returns whether it has. A file that is away leaves what was known."""
        if self.file is None:
            return False
        try:
            found = self.file.stat()
            if (stamp := (found.st_mtime_ns, found.st_ino)) == self._stamp:
                return False
            self._take(self.file.read_text("ascii", "replace"), str(self.file))
        except OSError:
            return False
        self._stamp = stamp
        return True

    def encrypt(self, plain: bytes, about: str) -> bytes:
        """Encrypts with the first key as of now. Raises NoSecretKey."""
        self.refresh()
        for id, cipher in self._ciphers.items():
            nonce = secrets.token_bytes(NONCE_BYTES)
            return VERSION + id + nonce + cipher.encrypt(nonce, plain, about.encode())
        raise NoSecretKey(
            f"There is no key to encrypt secrets with. Nothing was changed. Set {VARIABLE} or {FILE_VARIABLE} for each "
            f"role and this command: {MAKE_ONE}."
        )

    def decrypt(self, sealed: bytes, about: str) -> bytes:
        """Raises SecretKeyLost when no key fits, and when it was encrypted for something else or changed since."""
        id = sealed[len(VERSION) : HEAD]
        if id not in self._ciphers:
            self.refresh()
        cipher = self._ciphers.get(id)
        if cipher is None or not sealed.startswith(VERSION):
            raise SecretKeyLost(f"is encrypted with the key {id.hex()}, which this process does not have")
        try:
            return cipher.decrypt(sealed[HEAD : HEAD + NONCE_BYTES], sealed[HEAD + NONCE_BYTES :], about.encode())
        except (InvalidTag, ValueError):  # ValueError: it is too short
            raise SecretKeyLost("was changed after it was encrypted, or belongs to another connection") from None

    def _take(self, text: str, where: str) -> None:
        keys = parse(text, where)
        self._ciphers = {id: AESGCM(key) for id, key in keys.items()}
        self._signers = [hmac.digest(key, b"potik roles", "sha256") for key in keys.values()]

    def sign(self, text: str) -> str:
        """Returns a code in hex that only a role with the same first key can make. Raises NoSecretKey."""
        if not self._signers:
            raise NoSecretKey(f"There is no key to sign with. Set {VARIABLE} or {FILE_VARIABLE}: {MAKE_ONE}.")
        return hmac.digest(self._signers[0], text.encode(), "sha256").hex()

    def signed(self, text: str, code: str) -> bool:
        """Tells whether a role with one of these keys signed the text."""
        codes = [hmac.digest(key, text.encode(), "sha256").hex() for key in self._signers]
        return any([hmac.compare_digest(one.encode(), code.encode("utf-8", "replace")) for one in codes])

    def __repr__(self) -> str:
        return f"SecretKeys({', '.join(self.ids)})"

    def __bool__(self) -> bool:
        return bool(self._ciphers)


def new_key() -> str:
    """Returns a new key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(sealed: bytes) -> str:
    """Returns the id of the key that something is encrypted with."""
    return sealed[len(VERSION) : HEAD].hex()


def parse(text: str, where: str) -> dict[bytes, bytes]:
    """Returns the keys by their ids. Raises ValueError, which shows no key."""
    found: dict[bytes, bytes] = {}
    for number, word in enumerate(text.replace(",", " ").split(), 1):
        try:
            key = base64.b64decode(word.rstrip("=") + "=", altchars=b"-_", validate=True)
        except (NotBase64, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(f"Entry {number} of {where} is no key: a key is 32 bytes in base64. {MAKE_ONE}.")
        found[hashlib.sha256(b"potik key id" + key).digest()[:ID_BYTES]] = key
    return found
