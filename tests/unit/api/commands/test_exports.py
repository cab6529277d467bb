"""Exports by GraphQL: a file behind a link that says for how long, and for nothing else."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from obstore.store import MemoryStore

from api.commands import exports
from api.commands.exports import NoExports, file_export, start
from api.http import exports as http
from crm import exports as domain
from crm.adapters.export_store import ExportStore
from crm.adapters.kafka.directory import Token
from crm.commands import Code
from crm.exports import Format, Phase, Status
from crm.scalars import Id
from crm.secret_keys import SecretKeys
from tests.support.scenarios import CONNECTION, NOON, SHOP
from tests.support.secret_keys import KEYS

OTHER = Id("99999999-9999-5999-8999-999999999999")
MINUTE = 60_000_000


def info(store: ExportStore | None, workspace: Id = SHOP) -> Any:
    token = Token(CONNECTION, workspace, frozenset(("read",)), "Olena")
    return SimpleNamespace(context=SimpleNamespace(token=token, exports=store, executor=SimpleNamespace(keys=KEYS)))


def ask(store: ExportStore | None, workspace: Id = SHOP, **given: Any) -> Any:
    return asyncio.run(start(None, info(store, workspace), **given))


def get(store: ExportStore, path: str, keys: SecretKeys = KEYS, method: str = "GET") -> httpx.Response:
    async def answered() -> httpx.Response:
        handler: Any = http.Exports(store, keys)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(handler), base_url="http://api") as client:
            return await client.request(method, path)

    return asyncio.run(answered())


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    times = [NOON]
    for module in (exports, http):
        monkeypatch.setattr(module, "now", lambda: times[0])
    return times


def test_a_link_leads_to_the_file_until_it_is_over(clock: list[int]) -> None:
    store = ExportStore(MemoryStore())
    done = ask(store, what="deal", where="stage = 'won'", format=Format.CSV)
    made = done["file_export"]
    assert (made.name, made.phase, made.link, done["user_errors"]) == ("deal.csv", Phase.WAITING, None, [])
    (request,) = asyncio.run(store.waiting())
    assert (request.workspace, request.what, request.where, request.id) == (SHOP, "deal", "stage = 'won'", made.id)
    store.store.put(f"{store.folder(SHOP, request.id)}/file", io.BytesIO(b"number\r\n7\r\n"))
    asyncio.run(store.settle(request, Status(Phase.DONE, 1)))
    assert asyncio.run(store.waiting()) == []
    shown = asyncio.run(file_export(None, info(store), id=made.id))
    assert shown is not None and shown.link is not None
    assert (shown.phase, shown.rows, int(shown.expires_at.timestamp() * 1e6)) == (Phase.DONE, 1, NOON + 60 * MINUTE)
    answer = get(store, shown.link)
    assert (answer.status_code, answer.content) == (200, b"number\r\n7\r\n")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''deal.csv"
    assert (get(store, shown.link, method="HEAD").content, get(store, shown.link, method="POST").status_code) == (
        b"",
        405,
    )
    clock[0] += 61 * MINUTE
    assert "This link is over." in get(store, shown.link).text


@pytest.mark.parametrize("harm", [lambda link: link[:-3] + "AAA", lambda link: link + "ї", lambda _: domain.PATH])
def test_a_link_that_was_changed_leads_to_nothing(harm: Any) -> None:
    store = ExportStore(MemoryStore())
    link = domain.PATH + domain.link_text(domain.Link(SHOP, CONNECTION, NOON), KEYS)
    assert get(store, harm(link)).status_code == 404
    assert "no longer kept" in get(store, link).text
    assert get(store, link, SecretKeys()).status_code == 404


def test_another_workspace_has_no_part_in_it() -> None:
    store = ExportStore(MemoryStore())
    made = ask(store, what="deal")["file_export"]
    assert asyncio.run(file_export(None, info(store, OTHER), id=made.id)) is None


def test_what_is_not_exported_is_said() -> None:
    store = ExportStore(MemoryStore())
    for given, code in (({"what": "deals"}, Code.NOT_FOUND), ({"what": "deal", "where": "x" * 10_001}, Code.INVALID)):
        done = ask(store, **given)
        assert done["file_export"] is None and [error["code"] for error in done["user_errors"]] == [code]
    assert asyncio.run(store.waiting()) == []
    with pytest.raises(NoExports, match="CRM_IMPORTS names no place"):
        ask(None, what="deal")


def test_what_was_exported_a_day_ago_is_removed() -> None:
    async def test() -> None:
        store = ExportStore(MemoryStore())
        await store.store.put_async(f"{store.folder(SHOP, CONNECTION)}/file", b"x")
        (one,) = [one async for batch in store.store.list("exports") for one in batch]
        at = int(one["last_modified"].timestamp() * 1e6)
        await store.forget_old(domain.Micros(at + domain.KEPT - MINUTE))
        assert await store.content(SHOP, CONNECTION) is not None
        await store.forget_old(domain.Micros(at + domain.KEPT + MINUTE))
        assert await store.content(SHOP, CONNECTION) is None

    asyncio.run(test())
