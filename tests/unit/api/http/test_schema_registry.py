"""/registry answers as Confluent's registry would, and registers nothing."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from api.app import App
from api.live.changes import Changes
from crm.contract.registry import registered
from tests.unit.api.test_app import NoTokens

ENTRIES = registered()
FORMS = [entry for entry in ENTRIES if entry.name == "FormSubmitted"]


def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
    nothing: Any = None  # no row and no token is read
    app: Any = App(nothing, NoTokens(), Changes(""), lambda: None)

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api/registry") as client:
            return await client.request(method, path, **more)

    answered = asyncio.run(answer())
    assert answered.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
    return answered.status_code, answered.json()


def test_every_schema_is_found_by_its_id() -> None:
    for entry in ENTRIES:
        status, answer = ask("GET", f"/schemas/ids/{entry.id}")
        assert (status, answer["schemaType"], json.loads(answer["schema"])) == (200, "AVRO", entry.schema)


def test_subjects_are_names_of_records_and_versions_count_their_shapes() -> None:
    assert ask("GET", "/subjects")[1] == sorted({f"crm.{entry.name}" for entry in ENTRIES})
    assert ask("GET", "/subjects/crm.FormSubmitted/versions") == (200, [*range(1, len(FORMS) + 1)])
    newest = {"subject": "crm.FormSubmitted", "version": len(FORMS), "id": FORMS[-1].id}
    for version in ("latest", "-1", str(len(FORMS))):
        status, answer = ask("GET", f"/subjects/crm.FormSubmitted/versions/{version}")
        assert (status, json.loads(answer.pop("schema"))) == (200, FORMS[-1].schema)
        assert answer == {**newest, "schemaType": "AVRO"}
    first = FORMS[0].id
    assert ask("GET", f"/schemas/ids/{first}/versions") == (200, [{"subject": "crm.FormSubmitted", "version": 1}])
    assert ask("GET", f"/schemas/ids/{first}/subjects") == (200, ["crm.FormSubmitted"])


def without_docs(avro: Any) -> Any:
    match avro:
        case dict():
            return {name: without_docs(value) for name, value in avro.items() if name not in ("doc", "default")}
        case list():
            return [without_docs(value) for value in avro]
    return avro


def test_a_schema_is_looked_up_whatever_its_docs_and_its_subject() -> None:
    for subject in ("crm.FormSubmitted", "crm.intake.facts-value"):
        for path in (f"/subjects/{subject}", f"/subjects/{subject}/versions"):
            for schema, id in ((FORMS[0].schema, FORMS[0].id), (without_docs(FORMS[-1].schema), FORMS[-1].id)):
                status, answer = ask("POST", path, json={"schema": json.dumps(schema)})
                assert (status, answer["id"], answer["subject"]) == (200, id, subject)


def test_what_it_is_and_is_not() -> None:
    assert ask("GET", "/mode") == (200, {"mode": "READONLY"})
    assert ask("GET", "/config") == (200, {"compatibilityLevel": "FULL_TRANSITIVE"})
    assert ask("GET", "/schemas/types") == (200, ["AVRO"])


OWN = {"schema": '{"type":"record","name":"Mine","fields":[{"name":"a","type":"long"}]}'}


@pytest.mark.parametrize(
    "method, path, body, status, code",
    [
        ("GET", "/schemas/ids/99999", None, 404, 40403),
        ("GET", "/schemas/ids/1/x", None, 404, 404),
        ("GET", f"/schemas/ids/{'9' * 5_000}", None, 404, 40403),
        ("GET", "/nowhere", None, 404, 404),
        ("GET", "/subjects/crm.Nothing/versions", None, 404, 40401),
        ("GET", "/subjects/crm.FormSubmitted/versions/99", None, 404, 40402),
        ("GET", "/subjects/crm.FormSubmitted/versions/0", None, 404, 40402),
        ("GET", "/subjects/crm.FormSubmitted/versions/first", None, 404, 40402),
        ("POST", "/subjects/mine", OWN, 404, 40403),
        ("POST", "/subjects/mine/versions", OWN, 422, 42205),
        ("POST", "/subjects/mine", {"schema": "{"}, 422, 42201),
        ("POST", "/subjects/mine", {"schema": '{"type":"recod"}'}, 422, 42201),
        ("POST", "/subjects/mine", {"schema": {"type": "long"}}, 422, 42201),
        ("POST", "/subjects/mine", ["schema"], 422, 42201),
        ("POST", "/subjects/mine", {"schema": "[" * 5000}, 422, 42201),
        ("POST", "/subjects/mine", {"schema": "x" * 200_001}, 413, 41300),
        ("DELETE", "/subjects/crm.FormSubmitted", None, 422, 42205),
        ("PUT", "/config", {"compatibility": "NONE"}, 422, 42205),
    ],
)
def test_what_is_not_there_or_not_allowed(method: str, path: str, body: Any, status: int, code: int) -> None:
    answered, answer = ask(method, path, json=body)
    assert (answered, answer["error_code"]) == (status, code)
    assert answer["message"].endswith(".")


def test_a_body_that_is_no_json() -> None:
    """Nor one that is nested deeper than can be read: that was a 500."""
    assert ask("POST", "/subjects/mine", content=b'{"schema": ' + b"[" * 150_000)[1]["error_code"] == 42201
    assert ask("POST", "/subjects/mine", content=b"\xff")[1]["error_code"] == 42201
