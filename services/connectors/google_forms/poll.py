"""Google Forms: the responses of a form (https://developers.google.com/workspace/forms/api/reference/rest).

A response names its questions by ids, so the form is asked for as well, and each response is kept with the questions:
in the layout of the script of README.md. The cursor is when the last one was sent.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from crm.connector_poll import SECOND, Ask, Keep, Poll, Steps, Turn
from crm.poll_paging import next_value, oauth2
from services.connectors.google_forms.webhook import Settings

NEXT = next_value("pageToken", "nextPageToken")


def pull(turn: Turn) -> Steps:
    """The oldest first. What was sent at the cursor's own moment is asked for again: it has the same key."""
    path = f"/forms/{turn.connection.settings_as(Settings).form}"
    since = turn.cursor or f"{datetime.fromtimestamp(turn.since // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
    ask: Ask | None = Ask(f"{path}/responses", {"filter": f"timestamp >= {since}"})
    found: list[dict[str, Any]] = []
    while ask:
        page = yield ask
        found += page.at("responses") or ()
        ask = NEXT(ask, page)
    if [one["lastSubmittedTime"] for one in found] in ([], [turn.cursor]):
        return  # nothing but the last one
    form = yield Ask(path)
    titles = dict(questions(form.at("items") or []))
    for response in sorted(found, key=lambda one: moment(one["lastSubmittedTime"])):
        answers = response.get("answers") or {}
        body = {
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
        yield Keep(replace(form, body=msgspec.json.encode(body)), response["lastSubmittedTime"])


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


POLL = Poll(
    "https://forms.googleapis.com/v1",
    lambda turn: Ask(f"/forms/{turn.connection.settings_as(Settings).form}"),
    oauth2("https://oauth2.googleapis.com/token", setting="oauth"),
    every=60,
    per_minute=60,
    pull=pull,
    key="oauth",
)
