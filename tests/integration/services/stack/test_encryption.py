"""Secrets in clear and of an older key are encrypted again, on a real Kafka: nothing is lost, nothing clear is left."""

import asyncio
from uuid import uuid4

import pytest
from msgspec.structs import replace

from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.connection_secrets import key_ids
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from services.stack import encryption
from services.stack.access import declare_connection, origin, publish
from services.stack.encryption import PARTITION, encrypt_again, end, secrets_state
from services.stack.process import until
from services.stack.topics import differences
from tests.support.timeouts import TIMEOUT

OLD, NEW = new_key(), new_key()
HUSH = "hush-of-the-topic"


def id_of_a_test() -> Id:
    return Id(str(uuid4()))


async def in_clear(bootstrap: str, id: Id, secret: str = HUSH, enabled: bool = True) -> None:
    """Declares a connection as releases before encryption did."""
    fact = ConnectionDeclared(origin(id, id), id, "form", "Old", secret, {"token": f"{secret}-2"}, enabled)
    await publish(bootstrap, (id, fact))


async def known(bootstrap: str, keys: SecretKeys) -> Access:
    access = await Access(keys).start(bootstrap)
    await access.stop()
    return access


async def bytes_of_topic(bootstrap: str) -> bytes:
    found = b""
    async with open_consumer(bootstrap) as consumer:
        async for fetched in read_range(consumer, {PARTITION: (0, await end(bootstrap))}):
            found += b"".join(record.value or b"" for record in fetched[PARTITION])
    return found


def test_what_was_in_clear_is_taken_over_and_gone(kafka_bootstrap: str) -> None:
    async def story() -> None:
        keys, on, off = SecretKeys(NEW), id_of_a_test(), id_of_a_test()
        await in_clear(kafka_bootstrap, on)
        await in_clear(kafka_bootstrap, off, enabled=False)
        before = await secrets_state(kafka_bootstrap, keys)
        assert before.in_clear >= 2
        assert {on, off} <= set(await encrypt_again(kafka_bootstrap, keys))
        access = await known(kafka_bootstrap, keys)
        for id in (on, off):
            found = access.connections[id]
            assert (found.secret, found.settings, found.locked) == (HUSH, {"token": f"{HUSH}-2"}, "")
            assert (found.name, found.enabled) == ("Old", id == on)
            assert key_ids(access.declared[id]) == set(keys.ids)
        assert await encrypt_again(kafka_bootstrap, keys) == []

        async def left() -> str | None:
            state = await secrets_state(kafka_bootstrap, keys)
            return f"{state.old_in_clear} are left" if state.in_clear or state.old_in_clear else None

        await until(left, TIMEOUT)
        assert HUSH.encode() not in await bytes_of_topic(kafka_bootstrap)
        assert await differences(kafka_bootstrap) == []

    asyncio.run(story())


def test_a_rotation_leaves_no_moment_in_which_a_secret_is_unknown(kafka_bootstrap: str) -> None:
    async def story() -> None:
        workspace = id_of_a_test()
        old, both = SecretKeys(OLD), SecretKeys(f"{NEW},{OLD}")
        made = await declare_connection(kafka_bootstrap, workspace, "form", "Form", HUSH, {"token": "t"}, keys=old)
        assert (await secrets_state(kafka_bootstrap, old)).encrypted[old.ids[0]] == 1
        running = await Access(both).start(kafka_bootstrap)  # an intake that runs on
        try:
            seen: list[str] = []
            learn = running.learn

            def noting(fact: object) -> None:
                learn(fact)
                if made in running.connections:
                    seen.append(running.connections[made].secret)

            running.learn = noting  # type: ignore[method-assign]  # it only listens
            assert made in await encrypt_again(kafka_bootstrap, both, every=True)

            async def missing() -> str | None:
                return None if key_ids(running.declared[made]) == {both.ids[0]} else "it is not read yet"

            await until(missing, TIMEOUT)
            assert set(seen) == {HUSH}
        finally:
            await running.stop()
        assert (await known(kafka_bootstrap, SecretKeys(NEW))).connections[made].secret == HUSH
        assert (await known(kafka_bootstrap, old)).connections[made].locked
        assert made in (await secrets_state(kafka_bootstrap, old)).lost

    asyncio.run(story())


def test_what_no_key_decrypts_stays_as_it_is(kafka_bootstrap: str) -> None:
    async def story() -> None:
        lost, keys, workspace = SecretKeys(new_key()), SecretKeys(NEW), id_of_a_test()
        made = await declare_connection(kafka_bootstrap, workspace, "form", "Form", HUSH, keys=lost)
        assert made not in await encrypt_again(kafka_bootstrap, keys, every=True)
        assert (await known(kafka_bootstrap, lost)).connections[made].secret == HUSH

    asyncio.run(story())


def test_a_connection_that_is_changed_meanwhile_keeps_the_change(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rewriting read the old secret, somebody rotated it, and the old one was written over the new one."""
    keys, id = SecretKeys(NEW), id_of_a_test()
    real = encryption.encrypted_again

    def slow(fact: ConnectionDeclared, used: SecretKeys) -> ConnectionDeclared | None:
        if fact.connection == id:
            monkeypatch.setattr(encryption, "encrypted_again", real)
            changes.append(fact)
        return real(fact, used)

    changes: list[ConnectionDeclared] = []

    class Changing:
        """Yields to the change between reading and writing."""

        async def __aenter__(self) -> None:
            change = replace(changes[0], secret="the newer one")
            await publish(kafka_bootstrap, (id, change))

        async def __aexit__(self, *_: object) -> None: ...

    async def story() -> None:
        await in_clear(kafka_bootstrap, id)
        monkeypatch.setattr(encryption, "encrypted_again", slow)
        monkeypatch.setattr(encryption, "rolling", lambda _: Changing())
        assert id in await encrypt_again(kafka_bootstrap, keys)
        access = await known(kafka_bootstrap, keys)
        assert access.connections[id].secret == "the newer one"
        assert key_ids(access.declared[id]) == set(keys.ids)

    asyncio.run(story())
