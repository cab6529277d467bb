"""/registry: what Confluent's Schema Registry answers, read only, for clients that insist on asking one.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html. A subject is a record, such as
`crm.FormSubmitted`: RecordNameStrategy. Anyone may read it, as the schemas are published with the code.
"""

import json
from functools import cache
from typing import Any

from fastavro.schema import SchemaParseException, parse_schema, to_parsing_canonical_form
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.body import read
from api.http.refusal import Refusal
from crm.contract.registry import Registered, registered

PATH = "/registry/"
KIND = "application/vnd.schemaregistry.v1+json"
MAX_BODY = 200_000  # bytes of a schema that is looked up
NO_PAGE = 404, "There is nothing here. A registry's addresses begin with /registry/schemas or /registry/subjects."
NO_SUBJECT = 40401, "There is no such subject. Subjects are names of records, such as crm.FormSubmitted."
NO_VERSION = 40402, "This subject has no such version. GET its /versions for those that it has."
NO_SCHEMA = 40403, "There is no schema with this id, or like the one that was sent. Nothing was registered."
NO_AVRO = 42201, "Send JSON with an Avro schema as text under `schema`. Nothing was registered."
READ_ONLY = 42205, "Nothing can be registered or changed here: the schemas are published with Potik. Use one of them."


class Schemas:
    """The published schemas, as a registry's subjects and versions."""

    def __init__(self, entries: list[Registered]) -> None:
        self.texts = {entry.id: json.dumps(entry.schema, ensure_ascii=False) for entry in entries}
        self.names = {entry.id: f"crm.{entry.name}" for entry in entries}
        self.subjects: dict[str, list[int]] = {}
        for id, name in self.names.items():
            self.subjects.setdefault(name, []).append(id)
        self.same = {json.dumps(entry.schema, sort_keys=True): entry.id for entry in entries}
        self.alike = {to_parsing_canonical_form(entry.schema): entry.id for entry in entries}  # the newest of them

    def find(self, text: str) -> int | None:
        """Returns the id of a schema: the very same, else the newest that is written in the same bytes.

        Raises ValueError when it is no Avro schema.
        """
        try:
            schema = json.loads(text)
            canonical = to_parsing_canonical_form(parse_schema(schema))
        except (SchemaParseException, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(repr(error)) from error
        return self.same.get(json.dumps(schema, sort_keys=True)) or self.alike.get(canonical)

    def version(self, id: int) -> dict[str, Any]:
        """Returns where a schema is, with its text."""
        subject = self.names[id]
        number = self.subjects[subject].index(id) + 1
        return {"subject": subject, "version": number, "id": id, "schemaType": "AVRO", "schema": self.texts[id]}


@cache
def registry() -> Starlette:
    """Returns the ASGI application. It is made when it is first asked."""
    schemas = Schemas(registered())
    ids = {str(id): id for id in schemas.texts}  # read as text: a number of 5,000 digits is none

    def of_id(request: Request) -> Response:
        if (id := ids.get(request.path_params["id"], 0)) not in schemas.texts:
            return error(404, *NO_SCHEMA)
        place = schemas.version(id)
        parts = {
            "": {"schemaType": "AVRO", "schema": schemas.texts[id]},
            "subjects": [place["subject"]],
            "versions": [{"subject": place["subject"], "version": place["version"]}],
        }
        part = request.path_params.get("part", "")
        return answer(parts[part]) if part in parts else error(404, *NO_PAGE)

    def of_subject(request: Request) -> Response:
        subject, wanted = request.path_params["subject"], request.path_params.get("version")
        if (own := schemas.subjects.get(subject)) is None:
            return error(404, *NO_SUBJECT)
        if wanted is None:
            return answer([*range(1, len(own) + 1)])
        number = (
            len(own) if wanted in ("latest", "-1") else int(wanted) if wanted in map(str, range(len(own) + 1)) else 0
        )
        return answer(schemas.version(own[number - 1])) if number else error(404, *NO_VERSION)

    async def look_up(request: Request) -> Response:
        """Finds a schema under any subject, so that clients with TopicNameStrategy are answered too."""
        try:
            body = await read(request.headers, request.receive, MAX_BODY)
            id = schemas.find(json.loads(body)["schema"])
        except Refusal as refusal:
            return error(refusal.status, refusal.status * 100, str(refusal))
        except (ValueError, LookupError, TypeError, RecursionError):
            return error(422, *NO_AVRO)
        if id is None:
            return error(422, *READ_ONLY) if request.url.path.endswith("/versions") else error(404, *NO_SCHEMA)
        return answer({**schemas.version(id), "subject": request.path_params["subject"]})

    def get(path: str, result: Any) -> Route:
        return Route(path, lambda _: answer(result), methods=["GET"])

    return Starlette(
        routes=[
            Route("/schemas/ids/{id}", of_id, methods=["GET"]),
            Route("/schemas/ids/{id}/{part}", of_id, methods=["GET"]),
            get("/schemas/types", ["AVRO"]),
            get("/subjects", sorted(schemas.subjects)),
            Route("/subjects/{subject}/versions", of_subject, methods=["GET"]),
            Route("/subjects/{subject}/versions/{version}", of_subject, methods=["GET"]),
            get("/config", {"compatibilityLevel": "FULL_TRANSITIVE"}),
            get("/mode", {"mode": "READONLY"}),
            Route("/subjects/{subject}", look_up, methods=["POST"]),
            Route("/subjects/{subject}/versions", look_up, methods=["POST"]),
            Route("/{rest:path}", lambda _: error(422, *READ_ONLY), methods=["PUT", "DELETE", "POST"]),
            Route("/{rest:path}", lambda _: error(404, *NO_PAGE)),
        ]
    )


def answer(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, media_type=KIND)


def error(status: int, code: int, message: str) -> Response:
    return answer({"error_code": code, "message": message}, status)
