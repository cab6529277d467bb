"""Secrets of connections are encrypted: what decrypts them, what does not, and what is said of it."""

import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.connection_secrets import in_clear, key_ids, opened, sealed
from crm.contract.codec import decode, encode
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.secret_keys import NoSecretKey, SecretKeyLost, SecretKeys, new_key
from crm.settings import Settings
from tests.support.intake_server import CLOSED, GREETER, OPEN, meta

A, B, C = new_key(), new_key(), new_key()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SETTINGS = st.dictionaries(TEXTS, TEXTS, max_size=3)


def declared(secret: str = "hush-1", connection: Id = OPEN, **settings: str) -> ConnectionDeclared:
    return ConnectionDeclared(meta(connection), connection, "telegram", "Bot", secret, settings)


@given(TEXTS, SETTINGS)
def test_what_is_encrypted_is_decrypted_from_the_wire(secret: str, settings: dict[str, str]) -> None:
    keys = SecretKeys(A)
    fact = replace(declared(secret), settings=settings)
    kept = sealed(fact, keys)
    assert (kept.secret, kept.settings, in_clear(fact), in_clear(kept)) == ("", {}, True, False)
    assert opened(decode(encode(kept)), keys) == (secret, settings)
    assert sealed(kept, SecretKeys(B)) == kept
    assert key_ids(kept) == {keys.ids[0]}


@given(st.permutations([A, B, C]), TEXTS)
def test_the_first_key_encrypts_and_all_decrypt(order: list[str], secret: str) -> None:
    keys = SecretKeys(", ".join(order))
    kept = sealed(declared(secret), keys)
    assert opened(kept, SecretKeys(order[0]))[0] == secret
    assert opened(kept, SecretKeys(f"{order[2]}\n{order[1]}\n{order[0]}\n"))[0] == secret
    with pytest.raises(SecretKeyLost):
        opened(kept, SecretKeys(f"{order[2]} {order[1]}"))


@given(st.data())
def test_one_changed_byte_is_noticed(data: st.DataObject) -> None:
    keys = SecretKeys(A)
    kept = sealed(declared(token="hush-2"), keys)
    name = data.draw(st.sampled_from(["sealed_secret", "sealed_settings"]))
    text: bytes = getattr(kept, name)
    at, by = data.draw(st.integers(0, len(text) - 1)), data.draw(st.integers(1, 255))
    broken = text[:at] + bytes([text[at] ^ by]) + text[at + 1 :]
    with pytest.raises(SecretKeyLost):
        opened(replace(kept, **{name: broken}), keys)
    with pytest.raises(SecretKeyLost):
        opened(replace(kept, **{name: text[: data.draw(st.integers(1, len(text) - 1))]}), keys)


def test_a_ciphertext_cannot_be_moved() -> None:
    """Somebody who may write to the topic could give a connection of theirs the secret of another."""
    keys = SecretKeys(A)
    theirs, mine = sealed(declared(), keys), declared("", CLOSED)
    elsewhere = replace(meta(OPEN), workspace=GREETER)
    for moved in (
        replace(mine, sealed_secret=theirs.sealed_secret),
        replace(theirs, connector="form"),
        replace(theirs, meta=elsewhere),
        replace(theirs, sealed_secret=b"", sealed_settings=theirs.sealed_secret),
    ):
        with pytest.raises(SecretKeyLost, match="was changed after it was encrypted, or belongs to another connection"):
            opened(moved, keys)


def test_the_same_secret_is_never_the_same_ciphertext() -> None:
    keys = SecretKeys(A)
    assert len({sealed(declared(), keys).sealed_secret for _ in range(100)}) == 100


def test_a_lost_key_is_said_in_a_sentence_without_the_secret() -> None:
    kept, lost = sealed(declared(), SecretKeys(A)), SecretKeys(A).ids[0]
    with pytest.raises(SecretKeyLost) as error:
        opened(kept, SecretKeys(B))
    assert str(error.value) == (
        f"The secret of the connection {OPEN} (telegram) is encrypted with the key {lost}, which this process does not "
        "have. Its deliveries are answered 503 and nothing is kept, so vendors send them again. Put that key back "
        f"(docs/secrets.md), or give the connection a new secret: `crm connect telegram --connection {OPEN}`."
    )
    said = "".join(traceback.format_exception(error.value)) + repr(SecretKeys(f"{A},{B}"))
    assert not any(hidden in said for hidden in ("hush", A, B))


def test_without_a_key_nothing_is_encrypted() -> None:
    with pytest.raises(NoSecretKey, match=r"Nothing was changed\. Set CRM_SECRETS_KEY or CRM_SECRETS_KEY_FILE"):
        sealed(declared(), SecretKeys())
    assert sealed(declared(""), SecretKeys()) == declared("")
    assert not SecretKeys()


@pytest.mark.parametrize(
    "wrong", ["short", "ключ", A[:-4], A + "AAAA", f"{A[:-1]}!"], ids=["short", "letters", "cut", "long", "sign"]
)
def test_what_is_no_key_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"^Entry 2 of CRM_SECRETS_KEY is no key: ") as error:
        SecretKeys(f"{A} {wrong}")
    assert wrong not in str(error.value)


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """A rotation needs no restart: what a running process cannot decrypt makes it look at the file again."""
    file = tmp_path / "secrets.key"
    file.write_text(f"{A}\n")
    intake, api = SecretKeys(file=file), SecretKeys(file=file)
    replaced = tmp_path / "secrets.new"
    replaced.write_text(f"{B}\n{A}\n")
    replaced.rename(file)
    kept = sealed(declared(), api)
    assert key_ids(kept) == {SecretKeys(B).ids[0]}
    assert opened(kept, intake)[0] == "hush-1"
    file.unlink()
    assert not intake.refresh()
    assert opened(kept, intake)[0] == "hush-1"


def test_the_environment_comes_before_a_file(tmp_path: Path) -> None:
    named, default = tmp_path / "named", tmp_path / "default"
    named.write_text(B)
    default.write_text(C)
    both = Settings(secrets_key=A, secrets_key_file=str(named))
    assert SecretKeys.of(both, default).ids == SecretKeys(A).ids
    assert SecretKeys.of(Settings(secrets_key_file=str(named)), default).ids == SecretKeys(B).ids
    assert SecretKeys.of(Settings(), default).ids == SecretKeys(C).ids
    assert SecretKeys.of(Settings()).ids == ()
