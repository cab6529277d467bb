"""The console's questions to our own GraphQL, in this process: with the person's token, limits and scopes."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import msgspec
from graphql import OperationType

from api.errors import StaleRead
from api.http.endpoint import MakeContext
from api.http.request import GraphQLRequest
from api.live.subscriptions.operation import OperationRefused, Operations

DOCUMENTS = Path(__file__).parent / "documents"
STATUS = {  # of other codes 400
    **{"UNAVAILABLE": 503, "TOO_SLOW": 503, "INTERNAL": 500, "NOT_FOUND": 404},
    **{"UNAUTHORIZED": 403, "FORBIDDEN": 403, "RATE_LIMITED": 429},
}
Row = dict[str, Any]


class Declined(Exception):
    """What was asked is not answered. `message` says why, to the person."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status

    @classmethod
    def by(cls, errors: Sequence[Mapping[str, Any]]) -> Self:
        return cls(errors[0]["message"], STATUS.get(code_of(errors), 400))


def code_of(errors: Sequence[Mapping[str, Any]]) -> str:
    return str(errors[0].get("extensions", {}).get("code", ""))


@cache
def document(name: str) -> str:
    return (DOCUMENTS / f"{name}.graphql").read_text("utf-8")


def documents() -> dict[str, str]:
    """Returns all by ids, for a server that executes registered documents only."""
    return {f"console/{file.stem}": document(file.stem) for file in sorted(DOCUMENTS.glob("*.graphql"))}


class Questions:
    """Asks for one person. `position`: of what they changed last, which every answer has in it."""

    def __init__(self, operations: Operations, context: MakeContext, token: str, position: str = "") -> None:
        self.operations, self.make, self.authorization = operations, context, f"Bearer {token}"
        self.position = position
        self.first_seen = ""  # how far the read models were at the first answer

    def check(self) -> None:
        """Raises Unauthorized when the token is not known, or no more."""
        _ = self.make(self.authorization).token

    async def ask(self, name: str, /, **variables: Any) -> Row:
        """Returns the data of documents/NAME.graphql. Raises Unauthorized, Declined."""
        context, text = self.make(self.authorization), document(name)
        try:
            plan = self.operations.admit(text, GraphQLRequest(text, variables=variables), context)
        except OperationRefused as refused:
            raise Declined.by(refused.errors) from None
        context.min_position = None if plan.kind is OperationType.MUTATION else self.position or None
        answer = msgspec.json.decode((await self.operations.engine.answer(plan, variables, context)).body)
        if errors := answer.get("errors"):
            if code_of(errors) == StaleRead.code:  # better an answer from before than none
                self.position = ""
                return await self.ask(name, **variables)
            raise Declined.by(errors)
        self.first_seen = self.first_seen or answer["extensions"]["freshness"]["position"]
        data: Row = answer["data"]
        return data

    async def change(self, name: str, /, **fields: Any) -> Row:
        """Runs the mutation of documents/NAME.graphql with `fields` as its input. Raises Unauthorized, Declined."""
        return await self.run(name, input={key: value for key, value in fields.items() if value not in (None, "")})

    async def run(self, name: str, /, **variables: Any) -> Row:
        """Runs a mutation. Raises Unauthorized, Declined."""
        (payload,) = (await self.ask(name, **variables)).values()
        if wrong := payload["userErrors"]:
            raise Declined(said(wrong), 409)
        if "position" in payload:  # else nothing is in the journal
            self.position = payload["position"] or ""
        return dict(payload)


def said(errors: Sequence[Mapping[str, str]]) -> str:
    return " ".join(error["message"] for error in errors)
