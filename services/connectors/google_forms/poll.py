"""Google Forms: the responses of a form (https://developers.google.com/workspace/forms/api/reference/rest).

A response names its questions by ids, so the form is asked for as well, and each response is kept with the questions:
in the layout of the script of README.md. Google promises no order in which responses appear: each request reaches some
time back, and the cursor says which of those were kept.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from crm.connector_poll import SECOND, Ask, Keep, Page, Poll, Steps, Turn, read_cursor, written_cursor
from crm.poll_paging import next_value, oauth2
from services.connectors.google_forms.webhook import Settings

NEXT = next_value("pageToken", "nextPageToken")


OVERLAP = 600  # seconds


class Place(Struct, frozen=True):
    """`at`: when the latest response that was kept was sent. `kept`: when, by their ids, those not long before it."""

    at: str = ""
    kept: dict[str, str] = {}

    def after(self, response: dict[str, Any]) -> "Place":
        id, sent = response["responseId"], response["lastSubmittedTime"]
        at = max(self.at or sent, sent, key=moment)
        kept = {one: when for one, when in self.kept.items() if moment(when) >= start(at)}
        return Place(at, kept | {id: sent})


def pull(turn: Turn) -> Steps:
    """The oldest first."""
    path, place = f"/forms/{turn.connection.settings_as(Settings).form}", read_cursor(turn.cursor, Place)
    first = datetime.fromtimestamp(turn.since // SECOND, UTC)
    since = max(first, start(place.at)) if place.at else first
    ask: Ask | None = Ask(f"{path}/responses", {"filter": f"timestamp >= {since:%Y-%m-%dT%H:%M:%SZ}"})
    found: list[dict[str, Any]] = []
    while ask:
        page = yield ask
        found += page.at("responses") or ()
        ask = NEXT(ask, page)
    if not (new := [one for one in found if place.kept.get(one["responseId"]) != one["lastSubmittedTime"]]):
        return
    form = yield Ask(path)
    titles = dict(questions(form.at("items") or []))
    for response in sorted(new, key=lambda one: moment(one["lastSubmittedTime"])):
        place = place.after(response)
        body = msgspec.json.encode(body_of(response, form, titles))
        yield Keep(replace(form, body=body), written_cursor(place))


def body_of(response: dict[str, Any], form: Page, titles: dict[str, tuple[str, str]]) -> dict[str, Any]:
    answers = response.get("answers") or {}
    return {
        "formId": form.at("formId"),
        "formTitle": form.at("info", "title"),
        "responseId": response["responseId"],
        "timestamp": response["lastSubmittedTime"],
        "respondentEmail": response.get("respondentEmail", ""),
        "answers": [
            {"title": title, "type": kind, "value": value_of(answers[id])}
            for id, (title, kind) in ({id: (id, "") for id in answers} | titles).items()
            if id in answers
        ],
    }


def questions(items: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yields the id of each question with its title and its type; the rows of a grid are questions of their own."""
    for item in items:
        title = item.get("title", "")
        if question := item.get("questionItem", {}).get("question"):
            kind = "PARAGRAPH_TEXT" if question.get("textQuestion", {}).get("paragraph") else ""
            yield question["questionId"], (title, kind)
        for row in item.get("questionGroupItem", {}).get("questions", ()):
            yield row["questionId"], (f"{title} {row.get('rowQuestion', {}).get('title', '')}".strip(), "")


def value_of(answer: dict[str, Any]) -> Any:
    """Returns the text; several as a list, and files as their ids at Google Drive."""
    texts = [one.get("value", "") for one in answer.get("textAnswers", {}).get("answers", ())]
    texts += [one["fileId"] for one in answer.get("fileUploadAnswers", {}).get("answers", ())]
    return texts[0] if len(texts) == 1 else texts


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def start(at: str) -> datetime:
    """Returns from when on a request asks whose last known response was sent then."""
    return moment(at) - timedelta(seconds=OVERLAP)


POLL = Poll(
    "https://forms.googleapis.com/v1",
    lambda turn: Ask(f"/forms/{turn.connection.settings_as(Settings).form}"),
    oauth2("https://oauth2.googleapis.com/token", setting="oauth"),
    every=60,
    per_minute=60,
    pull=pull,
    key="oauth",
)
