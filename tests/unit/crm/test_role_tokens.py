"""A token of a role reads one workspace for a minute, and only for who has the keys of the installation."""

import pytest

from crm.role_tokens import role_token, workspace_of
from crm.scalars import Id, Micros
from crm.secret_keys import NoSecretKey, SecretKeys, new_key

SHOP, OTHER = Id("5d9b2f5e-6c1e-4f0b-8f4c-2f1f0f3a9b11"), Id("5d9b2f5e-6c1e-4f0b-8f4c-2f1f0f3a9b12")
NOON, SECOND = Micros(1_760_000_000_000_000), 1_000_000
OLD, NEW = new_key(), new_key()


def test_it_names_its_workspace_for_a_minute() -> None:
    keys = SecretKeys(OLD)
    token = role_token(keys, SHOP, NOON)
    assert workspace_of(keys, token, NOON) == SHOP
    assert workspace_of(keys, token, Micros(NOON + 60 * SECOND)) == SHOP
    assert workspace_of(keys, token, Micros(NOON + 61 * SECOND)) is None
    assert workspace_of(keys, token, Micros(NOON - 61 * SECOND)) is None


def test_keys_are_rotated_without_a_gap() -> None:
    both = SecretKeys(f"{NEW},{OLD}")
    assert workspace_of(both, role_token(SecretKeys(OLD), SHOP, NOON), NOON) == SHOP
    assert workspace_of(both, role_token(both, SHOP, NOON), NOON) == SHOP
    assert workspace_of(SecretKeys(OLD), role_token(both, SHOP, NOON), NOON) is None


@pytest.mark.parametrize(
    "changed", ["", ".", "..", "x.y.z", "{shop}.{at}.", "{other}.{at}.{code}", "{shop}.{at}9.{code}"]
)
def test_nobody_else_can_make_one(changed: str) -> None:
    keys = SecretKeys(OLD)
    shop, at, code = role_token(keys, SHOP, NOON).split(".")
    assert workspace_of(keys, changed.format(shop=shop, other=OTHER, at=at, code=code), NOON) is None
    assert workspace_of(SecretKeys(), f"{shop}.{at}.{code}", NOON) is None


def test_without_a_key_there_is_none() -> None:
    with pytest.raises(NoSecretKey, match="no key to sign with"):
        role_token(SecretKeys(), SHOP, NOON)
