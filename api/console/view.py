"""What a screen works with: the request, the person's questions to GraphQL, and their language."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.console.languages import Speaker
from api.console.pages import page
from api.console.questions import Questions, Row

Screen = Callable[["View"], Coroutine[Any, Any, Response]]
CLOCKS = "OCCURRED", "RECORDED"
REFRESH = {"hx-refresh": "true"}


class View:
    """One request of a person who is signed in. `me`: the answer to documents/me.graphql."""

    def __init__(self, request: Request, questions: Questions, speaker: Speaker, me: Row) -> None:
        self.request, self.questions, self.speaker, self.me = request, questions, speaker, me
        self.ask, self.change, self.run = questions.ask, questions.change, questions.run

    @property
    def id(self) -> str:
        """The id in the address."""
        return str(self.request.path_params["id"])

    @property
    def part(self) -> bool:
        """Whether a part of a page is asked for, to be put into the one that is open."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def as_of(self) -> Row | None:
        """The moment in the address, as GraphQL takes it; None: now."""
        clock = self.given("clock")
        return {"at": at, "clock": clock if clock in CLOCKS else CLOCKS[0]} if (at := self.moment("at")) else None

    @property
    def own(self) -> str:
        """Whose deals and tasks are the person's: the owner of the token's name; empty where there is none."""
        return next((one["key"] for one in self.me["owners"] if one["key"] == self.me["name"]), "")

    def given(self, name: str) -> str:
        """Returns a parameter of the address."""
        return self.request.query_params.get(name, "").strip()

    def moment(self, name: str) -> str | None:
        """Returns a moment of the address; one without an offset, as browsers' fields give it, is of the workspace."""
        return self.in_zone(self.given(name))

    def in_zone(self, text: str) -> str | None:
        """Returns a moment with its offset; what is none, as it is, and GraphQL says what is wrong with it."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text or None
        return (at if at.tzinfo else at.replace(tzinfo=self.speaker.zone)).isoformat()

    async def form(self) -> dict[str, str]:
        return {name: value.strip() for name, value in (await self.request.form()).items() if isinstance(value, str)}

    def show(self, template: str, status: int = 200, **shown: Any) -> Response:
        scopes = {*self.me["scopes"]}
        can_write, can_connect = bool({"write", "admin"} & scopes), bool({"connect", "admin"} & scopes)
        shown |= {"me": self.me, "can_write": can_write, "can_connect": can_connect, "stage_name": self.stage_name}
        shown["own"] = self.own
        shown |= {"intake": self.me["intakeUrl"] or "$INTAKE", "api": str(self.request.base_url).rstrip("/")}
        return page(template, self.speaker, status, seen=self.questions.first_seen, **shown)

    def stage_name(self, key: str) -> str:
        """Returns the label of a stage; in words where nobody has given one."""
        label = self.me["stages"].get(key, key)
        return self.speaker.vocabulary.word(key) if label == key else str(label)

    def done(self) -> Response:
        """Answers a change: the page that is open is asked for again."""
        return Response(status_code=204, headers=REFRESH)


def no_such(row: Row | None) -> Row:
    """Returns the row. Raises LookupError where there is none."""
    if row is None:
        raise LookupError
    return row
