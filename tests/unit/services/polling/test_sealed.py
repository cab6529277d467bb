"""A key that a vendor gave in place of another decrypts for that connection, and only while it has that other key."""

from crm.secret_keys import SecretKeys, new_key
from services.polling.sealed import SealedKeys, about
from tests.support.polling import Rig, by_time, connection_of, pages


def test_it_belongs_to_a_connection_and_to_the_key_that_it_replaces() -> None:
    own, renewed, other = (
        Rig(by_time(), pages([]), connection).account
        for connection in (connection_of(), connection_of(secret="another"), connection_of(2))
    )
    secret_keys = SecretKeys(new_key())
    keys = SealedKeys(secret_keys)
    sealed = keys.seal("r2", 7, own)
    assert b"r2" not in sealed and keys.unseal(sealed, own) == ("r2", 7)
    assert keys.unseal(sealed, renewed) is None and keys.unseal(sealed, other) is None
    assert SealedKeys(SecretKeys(new_key())).unseal(sealed, own) is None
    assert keys.unseal(secret_keys.encrypt(b"r2", about(own)), own) == ("r2", 0)  # as an earlier release kept it
