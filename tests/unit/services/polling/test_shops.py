"""Marketplaces without a webhook: threads one by one, a log-in with a password, errors with status 200, long pages."""

import base64
from dataclasses import replace
from typing import Any

import httpx
import msgspec

from crm.connector import Connection
from services.connectors import CONNECTORS
from tests.support.polling import Rig, connection_of, run

THREADS: list[dict[str, Any]] = [
    {"id": 1, "interlocutor": {"id": 51, "name": "Марія"}, "advert": {"id": 9, "title": "Велосипед"}, "total_count": 1},
    {"id": 2, "interlocutor_id": 52, "advert_id": 9, "total_count": 51},
]


def message(id: int, thread: int, kind: str = "received") -> dict[str, Any]:
    at = "2026-10-05T09:00:00+03:00"
    return {"id": id, "thread_id": thread, "type": kind, "text": f"text {id}", "created_at": at}


def rig_of(vendor: str, answer: Any, connection: Connection) -> Rig:
    poll = CONNECTORS[vendor].poll
    assert poll
    base = poll.base(connection) if callable(poll.base) else poll.base  # what a setting names is looked up in the DNS
    return Rig(replace(poll, base=base), answer, connection)


def test_only_threads_with_new_messages_are_read_and_every_message_is_kept_with_its_thread() -> None:
    threads = msgspec.json.decode(msgspec.json.encode(THREADS))
    messages = {"1": [message(100, 1)], "2": [message(200 + n, 2) for n in range(51)]}

    def answer(request: httpx.Request, query: dict[str, str]) -> Any:
        if request.url.path == "/api/open/oauth/token":
            form = dict(pair.split("=") for pair in request.content.decode().split("&"))
            assert form["grant_type"] == "refresh_token" and form["refresh_token"] == "refresh"
            return 200, {"access_token": "T", "expires_in": 86_400}, {}
        assert request.headers["authorization"] == "Bearer T" and request.headers["version"] == "2.0"
        offset = int(query["offset"])
        if request.url.path == "/api/partner/threads":
            return 200, {"data": threads[offset:]}, {}
        return 200, {"data": messages[request.url.path.split("/")[-2]][offset : offset + 50]}, {}

    async def test() -> None:
        rig = rig_of("olx", answer, connection_of(secret="id:secret:refresh"))
        await rig.forward(60)
        texts = [(fact.chat, fact.sender_name, fact.text) for fact in rig.facts]
        assert texts[:2] == [("51", "Марія", "text 100"), ("51", "", "[Advert: Велосипед]")]
        assert {text for chat, _, text in texts if chat == "52"} == {
            "[Advert: 9]",
            *(f"text {n}" for n in range(200, 251)),
        }
        paths = [request.url.path for _, request in rig.vendor.requests if request.url.path.endswith("messages")]
        assert paths == ["/api/partner/threads/1/messages", *["/api/partner/threads/2/messages"] * 2]
        rig.vendor.requests.clear()
        threads[0]["total_count"] = 2
        messages["1"].append(message(101, 1, "sent"))
        rig.start()  # the cursor survives
        await rig.forward(300)
        paths = [request.url.path for _, request in rig.vendor.requests if request.url.path.endswith("messages")]
        assert paths == ["/api/partner/threads/1/messages"]
        assert [(f.chat, f.direction, f.sender) for f in rig.facts if f.message == "101"] == [("51", "out", "account")]

    run(test)


def test_a_password_logs_in_and_a_token_that_is_old_is_renewed() -> None:
    """Errors come with status 200."""
    valid = ["T1"]

    def answer(request: httpx.Request, query: dict[str, str]) -> Any:
        if request.url.path == "/sites":
            said = msgspec.json.decode(request.content)
            assert said == {"username": "shop", "password": base64.b64encode("пароль:1".encode()).decode()}
            return 200, {"success": True, "content": {"access_token": valid[0]}}, {}
        if request.headers["authorization"] != f"Bearer {valid[0]}":
            return 200, {"success": False, "errors": {"message": "incorrect_access_token", "code": 1020}}, {}
        order = {"id": 7, "changed": "2026-10-05 09:10:00", "status": 1, "status_group": 1, "cost": "1.00"}
        return 200, {"success": True, "content": {"orders": [order] if query["page"] == "1" else []}}, {}

    async def test() -> None:
        rig = rig_of("rozetka", answer, connection_of(secret="shop:пароль:1"))
        await rig.forward(30)
        assert [fact.order for fact in rig.facts] == ["7"]
        valid[0] = "T2"
        await rig.forward(300)
        assert rig.state.problem == ""
        assert len({fact.meta.id for fact in rig.facts}) == 1

    run(test)


def test_a_page_of_a_hundred_orders_is_followed_by_what_is_older() -> None:
    orders = [
        {"id": id, "date_modified": "2026-10-05T09:00:00+03:00", "full_price": "1,50 грн", "status": "pending"}
        for id in range(250, 100, -1)
    ]

    def answer(request: httpx.Request, query: dict[str, str]) -> Any:
        assert request.headers["authorization"] == "Bearer key"
        last = int(query.get("last_id", 10**9))  # not higher than that
        return 200, {"orders": [one for one in orders if int(str(one["id"])) <= last][:100]}, {}

    async def test() -> None:
        rig = rig_of("prom-ua", answer, connection_of())
        await rig.forward(30)
        assert sorted({int(fact.order) for fact in rig.facts}) == list(range(101, 251))
        assert {fact.total_minor for fact in rig.facts} == {150}

    run(test)
