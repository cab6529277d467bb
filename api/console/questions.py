"""The console's questions to our own GraphQL, in this process: with the person's token, limits and scopes."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import OperationType

from api.access import TO_CHANGE, require
from api.engine import Engine
from api.errors import ApiError, StaleRead
from api.http.endpoint import MakeContext
from api.http.refusal import Refusal
from api.limits.rates import Rates

DOCUMENTS = Path(__file__).parent / "documents"
STATUS = {"UNAVAILABLE": 503, "TOO_SLOW": 503, "INTERNAL": 500, "NOT_FOUND": 404}  # of other codes 400
Row = dict[str, Any]


class Declined(Exception):
    """What was asked is not answered. `message` says why, to the person."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@cache
def document(name: str) -> str:
    return (DOCUMENTS / f"{name}.graphql").read_text("utf-8")


def documents() -> dict[str, str]:
    """Returns all by ids, for a server that executes registered documents only."""
    return {f"console/{file.stem}": document(file.stem) for file in sorted(DOCUMENTS.glob("*.graphql"))}


class Questions:
    """Asks for one person. `position`: of what they changed last, which every answer has in it."""

    def __init__(self, engine: Engine, rates: Rates, context: MakeContext, token: str, position: str = "") -> None:
        self.engine, self.rates, self.authorization, self.make = engine, rates, f"Bearer {token}", context
        self.position = position
        self.first_seen = ""  # how far the read models were at the first answer

    def check(self) -> None:
        """Raises Unauthorized when the token is not known, or no more."""
        _ = self.make(self.authorization).token

    async def ask(self, name: str, /, **variables: Any) -> Row:
        """Returns the data of documents/NAME.graphql. Raises Unauthorized, Declined."""
        context = self.make(self.authorization)
        token = context.token
        plan = self.engine.prepare(document(name), None, token)
        changes = plan.kind is OperationType.MUTATION
        try:
            self.rates.check(token.id)
            require(token, *(TO_CHANGE if changes else ("read",)))
            self.rates.take(token.id, plan.cost(variables))
        except Refusal as refusal:
            raise Declined(refusal.message, refusal.status) from None
        except ApiError as error:
            raise Declined(error.message, 403) from None
        context.min_position = None if changes else self.position or None
        answer = msgspec.json.decode((await self.engine.answer(plan, variables, context)).body)
        if errors := answer.get("errors"):
            code = errors[0].get("extensions", {}).get("code", "")
            if code == StaleRead.code:  # better an answer from before than none
                self.position = ""
                return await self.ask(name, **variables)
            raise Declined(errors[0]["message"], STATUS.get(code, 400))
        self.first_seen = self.first_seen or answer["extensions"]["freshness"]["position"]
        data: Row = answer["data"]
        return data

    async def change(self, name: str, /, **fields: Any) -> Row:
        """Runs the mutation of documents/NAME.graphql with `fields` as its input. Raises Unauthorized, Declined."""
        data = await self.ask(name, input={key: value for key, value in fields.items() if value not in (None, "")})
        (payload,) = data.values()
        if wrong := payload["userErrors"]:
            raise Declined(said(wrong), 409)
        self.position = payload["position"] or ""
        return dict(payload)


def said(errors: Sequence[Mapping[str, str]]) -> str:
    return " ".join(error["message"] for error in errors)
