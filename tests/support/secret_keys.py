"""The key of all tests."""

from crm.secret_keys import SecretKeys

SECRETS_KEY = "dGhlIGtleSBvZiBhbGwgdGhlIHRlc3RzLCAzMiBiLiA="
KEYS = SecretKeys(SECRETS_KEY)
