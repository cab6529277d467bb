"""What must hold for POST /in/{connection} on any log: run on memory here, on Kafka in tests/integration."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from crm.envelope import named_id
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from tests.support.intake_server import CLOSED, GREETER, NOON, OPEN, IntakeServer

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNKNOWN = "99999999-9999-4999-8999-999999999999"


class DeliveriesSuite:
    def test_a_delivery_becomes_a_fact_under_its_senders_key(self, server: IntakeServer) -> None:
        reply = server.post(b"key=1&name=Olena&phone=050", f"/in/{OPEN}/any?page=2&token=x&z=s3cret", traceparent=TRACE)
        assert (reply.status_code, reply.content) == (200, b'{"status":"success"}')
        assert reply.headers["content-type"] == "application/json"
        (record,) = server.records()
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert fact.name == "Olena"
        assert fact.raw.body == b"key=1&name=Olena&phone=050"
        assert fact.raw.query == "page=2"
        assert (fact.raw.headers[":method"], fact.raw.headers[":url"]) == ("POST", f"http://intake/in/{OPEN}/any")
        assert fact.meta.recorded_at == NOON
        assert fact.meta.id == named_id(OPEN, "1/0")
        assert record.topic == "crm.intake.forms"
        assert record.key == named_id(OPEN, "sender/050").encode()
        assert dict(record.headers) == {
            "ce_id": fact.meta.id.encode(),
            "ce_type": b"FormSubmitted",
            "ce_source": OPEN.encode(),
            "content-type": b"application/avro",
            "traceparent": TRACE.encode(),
        }

    def test_a_repeated_delivery_is_the_same_fact_and_hears_the_same(self, server: IntakeServer) -> None:
        answers = [server.post(b"key=1&name=Olena").content for _ in range(2)]
        assert answers == [b'{"status":"success"}'] * 2
        assert [fact.meta.id for fact in server.facts] == [named_id(OPEN, "1/0")] * 2

    def test_what_means_nothing_is_kept_with_its_connectors_family(self, server: IntakeServer) -> None:
        assert server.post(b"kind=ping&times=0").status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, DeliveryKept)
        assert server.records()[0].topic == "crm.intake.calls"

    @pytest.mark.parametrize("proof", ["", "s3creT", "s3cret "[:-2]])
    def test_without_the_right_proof_nothing_is_kept(self, server: IntakeServer, proof: str) -> None:
        reply = server.post(b"key=1", x_proof=proof)
        assert reply.status_code == 401
        assert reply.text.count("\n") == 1
        assert "Nothing was kept" in reply.text
        assert server.records() == []

    @pytest.mark.parametrize("id", [UNKNOWN, CLOSED, "x", "", "%00", "1" * 5000, "%D1%97"])
    def test_an_unknown_address_tells_nothing(self, server: IntakeServer, id: str) -> None:
        reply = server.post(b"key=1", f"/in/{id}")
        assert (reply.status_code, reply.content) == (404, b"not found\n")
        assert server.send("GET", f"/in/{id}").content == b"not found\n"
        assert server.records() == []

    def test_a_get_is_answered_where_the_vendor_asks_so(self, server: IntakeServer) -> None:
        assert server.send("GET", f"/in/{GREETER}").status_code == 200
        assert server.send("HEAD", f"/in/{GREETER}").status_code == 200
        assert server.send("GET", f"/in/{OPEN}").status_code == 405
        assert server.send("DELETE", f"/in/{OPEN}").headers["allow"] == "POST"

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_challenge_is_reflected_as_plain_text(self, server: IntakeServer, method: str) -> None:
        url = f"/in/{GREETER}?verify_token=s3cret&challenge=%3Cb%3E1%3C/b%3E%20%D1%97"
        answered = server.send(method, url)
        assert (answered.status_code, answered.content) == (200, "<b>1</b> ї".encode())
        assert answered.headers["content-type"] == "text/plain; charset=utf-8"
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert server.records() == []

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_challenge_without_its_token_is_refused(self, server: IntakeServer, method: str) -> None:
        answered = server.send(method, f"/in/{GREETER}?verify_token=guess&challenge=1")
        assert (answered.status_code, server.records()) == (401, [])
        assert answered.text.startswith("The verify token does not match. Nothing was kept.")

    def test_nothing_that_a_handshake_reflects_is_run_by_a_browser(self, server: IntakeServer) -> None:
        answered = server.send("GET", f"/in/{GREETER}?page=%3Cscript%3E")
        assert (answered.content, answered.headers["content-type"]) == (b"<script>", "text/plain; charset=utf-8")
        assert server.send("GET", f"/in/{GREETER}?page={'x' * 4_097}").status_code == 400
        assert server.send("GET", f"/in/{GREETER}?verify_token=s3cret&challenge={'x' * 4_097}").status_code == 401
        assert server.send("GET", f"/in/{GREETER}?verify_token=s3cret&challenge={'x' * 4_096}").status_code == 200

    def test_a_connector_that_fails_in_a_handshake_is_retried(self, server: IntakeServer) -> None:
        for method in ("GET", "POST"):
            answered = server.send(method, f"/in/{GREETER}", headers={"x-crash": "1"})
            assert (answered.status_code, server.records()) == (503, [])

    def test_what_is_no_handshake_is_a_delivery(self, server: IntakeServer) -> None:
        assert server.post(b"key=1&name=Olena", f"/in/{GREETER}").status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)

    def test_an_unreadable_body_is_quarantined_and_the_vendor_hears_success(self, server: IntakeServer) -> None:
        reply = server.post("name=Олена".encode("cp1251"), content_type="")
        assert (reply.status_code, reply.content) == (200, b'{"status":"success"}')
        (fact,) = server.facts
        assert isinstance(fact, DeliveryQuarantined)
        assert fact.reason == "not UTF-8: invalid continuation byte"
        assert fact.raw.body == "name=Олена".encode("cp1251")
        assert server.records()[0].topic == "crm.quarantine"

    @pytest.mark.parametrize(
        "body", [b"name=surrogate", b"amount=99999999999999999999", b"times=2&amount=-9223372036854775809"]
    )
    def test_what_the_schema_cannot_hold_is_quarantined_whole(self, server: IntakeServer, body: bytes) -> None:
        assert server.post(body).status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, DeliveryQuarantined)
        assert fact.reason.startswith("FormSubmitted cannot be written: ")
        assert fact.raw.body == body

    def test_a_delivery_of_endless_facts_is_quarantined(self, server: IntakeServer) -> None:
        """Each fact holds the whole raw body, so a small body that tells many things could fill the memory."""
        assert server.post(b"times=1000&name=" + b"n" * 60_000).status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, DeliveryQuarantined)
        assert fact.reason == "its 1000 facts take more than 32000000 bytes"

    def test_nul_bytes_are_kept_as_they_are(self, server: IntakeServer) -> None:
        assert server.post(b"name=a%00b\x00").status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert fact.name == "a\0b\0"

    def test_ten_thousand_fields_are_quarantined_by_their_connector(self, server: IntakeServer) -> None:
        assert server.post(b"&".join(b"f%d=1" % n for n in range(10_000))).status_code == 200
        assert isinstance(server.facts[0], DeliveryQuarantined)

    def test_a_connector_that_fails_before_it_verified_keeps_nothing(self, server: IntakeServer) -> None:
        reply = server.post(b"key=1", x_crash="1")
        assert reply.status_code == 503
        assert reply.headers["retry-after"].isdigit()
        assert reply.text == "The delivery could not be verified now. Nothing was kept. Send it again.\n"
        assert server.records() == []

    def test_a_body_that_says_it_is_too_large_is_refused_unread(self, server: IntakeServer) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"never read"

        reply = server.post(body(), content_length="200000000")
        assert reply.status_code == 413
        assert reply.text == "The body is larger than 100000 bytes. Nothing was kept. Send less at a time.\n"
        assert server.records() == []

    def test_a_body_that_grows_too_large_is_refused_and_let_go(self, server: IntakeServer) -> None:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(20_000):
                yield b"x" * 10_000

        assert server.post(body()).status_code == 413
        assert server.records() == []
        assert server.bodies.budget == 256_000_000

    @pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
    def test_a_compressed_body_is_read(
        self, server: IntakeServer, encoding: str, pack: Callable[[bytes], bytes]
    ) -> None:
        assert server.post(pack(b"key=1&name=Olena"), content_encoding=encoding).status_code == 200
        (fact,) = server.facts
        assert isinstance(fact, FormSubmitted)
        assert fact.raw.body == b"key=1&name=Olena"

    def test_a_bomb_is_refused(self, server: IntakeServer) -> None:
        reply = server.post(gzip.compress(b"0" * 50_000_000), content_encoding="gzip")
        assert reply.status_code == 413
        assert "after decompression" in reply.text

    @pytest.mark.parametrize(
        "body",
        [b"not gzip", gzip.compress(b"key=1" * 100)[:-9], gzip.compress(b"a=1") + b"more"],
        ids=["not gzip", "cut short", "followed by more"],
    )
    def test_a_broken_compression_is_refused(self, server: IntakeServer, body: bytes) -> None:
        assert server.post(body, content_encoding="gzip").status_code == 400
        assert server.post(body, content_encoding="br").status_code == 415
        assert server.records() == []
