"""A connection whose secret cannot be decrypted: its vendor sends again, and nobody else notices."""

from msgspec.structs import replace

from crm.adapters.kafka.directory import Access
from crm.connection_secrets import sealed
from crm.contract.codec import encode
from crm.facts import ConnectionDeclared
from crm.secret_keys import SecretKeys, new_key
from tests.support.intake_server import GREETER, OPEN, IntakeServer, meta


def declare(access: Access, keys: SecretKeys, connector: str, id: str = OPEN) -> None:
    fact = replace(ConnectionDeclared(meta(OPEN), OPEN, connector, "", "s3cret"), connection=id)
    access.take(id.encode(), encode(sealed(fact, keys)))


def test_a_delivery_waits_for_its_key(server: IntakeServer) -> None:
    """A refusal would have been final for many vendors: the delivery is theirs, only we cannot tell."""
    ours, lost = SecretKeys(new_key()), SecretKeys(new_key())
    server.access.keys = ours
    declare(server.access, lost, "tiny")
    answer = server.post(b"phone=1", x_proof="anything")
    assert (answer.status_code, server.facts) == (503, [])
    assert answer.headers["retry-after"]
    assert "The secret of this connection cannot be read at the moment. Nothing was kept." in answer.text
    assert "key" not in answer.text.lower().replace("keys", "")
    declare(server.access, ours, "tiny")
    assert (server.post(b"phone=1").status_code, len(server.facts)) == (200, 1)
    assert server.post(b"phone=1", x_proof="forged").status_code == 401


def test_a_handshake_waits_too_and_others_do_not(server: IntakeServer) -> None:
    server.access.keys = SecretKeys(new_key())
    declare(server.access, SecretKeys(new_key()), "greeter", GREETER)
    assert server.send("GET", f"/in/{GREETER}?challenge=x&verify_token=s3cret").status_code == 503
    assert server.post(b"phone=1").status_code == 200


def test_intake_is_not_ready_with_a_wrong_key(server: IntakeServer) -> None:
    """A replica that was started without the key must not take the place of one that has it."""
    server.access.keys = SecretKeys(new_key())
    assert server.app.missing() is None
    declare(server.access, SecretKeys(new_key()), "tiny")
    assert server.app.missing() == "None of the 1 secrets can be decrypted: CRM_SECRETS_KEY is missing or another one."
    assert server.send("GET", "/readyz").status_code == 503
    declare(server.access, server.access.keys, "greeter", GREETER)
    assert server.app.missing() is None
