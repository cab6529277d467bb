"""Mails and forms that are asked for over HTTP: Gmail by its history, Resend by its list, Google Forms by time."""

import asyncio
import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest

from crm.connector_poll import SECOND, read_cursor
from services.connectors.gmail.poll import POLL as GMAIL
from services.connectors.gmail.webhook import parse as parse_gmail
from services.connectors.google_forms.poll import POLL as FORMS
from services.connectors.google_forms.poll import Place
from services.connectors.google_forms.webhook import parse as parse_forms
from services.connectors.resend.poll import POLL as RESEND
from services.connectors.resend.webhook import parse as parse_resend
from tests.support.polling import NOW, Answer, Rig, connection_of


class Gmail:
    """A mailbox: messages by id with their time in seconds, and what was added since when."""

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}
        self.history: list[tuple[int, str]] = []
        self.oldest, self.id = 0, 100
        self.files: dict[str, int] = {}  # bytes of a message's files
        self.text = "Hello"
        self.requests: list[str] = []
        self.rescued: list[dict[str, Any]] = []  # records of labels that were removed

    def add(self, name: str, at: int) -> None:
        self.id += 10
        self.messages[name] = at
        self.history.append((self.id, name))

    def __call__(self, request: httpx.Request, query: dict[str, str]) -> Answer:
        path = request.url.path.removeprefix("/gmail/v1/users/me")
        self.requests.append(path)
        if path == "/token":
            return 200, {"access_token": "T", "expires_in": 3600}, {}
        assert request.headers["authorization"] == "Bearer T"
        if path == "/profile":
            return 200, {"historyId": str(self.id)}, {}
        if path == "/messages":
            since = int(query["q"].split()[0].removeprefix("after:"))
            ids = sorted((id for id, at in self.messages.items() if at >= since), key=lambda id: -self.messages[id])
            return 200, {"messages": [{"id": id} for id in ids]} if ids else {"resultSizeEstimate": 0}, {}
        if path == "/history":
            start = int(query["startHistoryId"])
            if start < self.oldest:
                return 404, {"error": "notFound"}, {}
            new = [
                {"id": str(id), "messagesAdded": [{"message": {"id": name, "labelIds": ["INBOX"]}}]}
                for id, name in self.history
                if id > start
            ]
            return 200, {"history": new + self.rescued, "historyId": str(self.id)}, {}
        name = path.removeprefix("/messages/")
        if name not in self.messages:
            return 404, {"error": "notFound"}, {}
        if self.files.get(name, 0) > 20_000_000 and query["format"] == "raw":
            return 413, {"error": "too long"}, {}
        time = str(self.messages[name] * 1_000)
        headers = [("From", "o@example.net"), ("Message-ID", f"<{name}@example.net>"), ("Subject", name)]
        if query["format"] != "raw":
            payload: dict[str, Any] = {"headers": [{"name": name, "value": value} for name, value in headers]}
            if query["format"] == "full":
                data = base64.urlsafe_b64encode(self.text.encode()).decode()
                payload |= {"mimeType": "text/plain", "body": {"data": data}}
            return 200, {"id": name, "internalDate": time, "payload": payload}, {}
        raw = "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n" + self.text
        raw += "\n" * self.files.get(name, 0)
        return 200, {"id": name, "internalDate": time, "raw": base64.urlsafe_b64encode(raw.encode()).decode()}, {}


def gmail(server: Gmail) -> Rig:
    settings = {"service_account": "push@example.com", "oauth": "id:secret:refresh", "since": "2026-10-01"}
    poll = replace(GMAIL, parse=parse_gmail)
    return Rig(poll, server, connection_of(1, "secret", "acme", **settings))


def subjects(rig: Rig) -> list[str]:
    return [fact.subject for fact in rig.facts]


def test_gmail_is_listed_once_and_then_followed_by_its_history() -> None:
    async def test() -> None:
        server = Gmail()
        server.add("first", NOW // SECOND - 300)
        server.add("second", NOW // SECOND - 200)
        rig = gmail(server)
        await rig.forward(61)
        assert subjects(rig) == ["first", "second"]
        server.add("third", NOW // SECOND)
        server.history.append((server.id + 1, "deleted"))
        server.requests.clear()
        await rig.forward(61)
        assert subjects(rig) == ["first", "second", "third"]
        assert "/messages" not in server.requests
        assert '"history":"120"' in rig.state.cursor or '"history":"130"' in rig.state.cursor

    asyncio.run(test())


def test_a_mail_that_is_taken_out_of_the_spam_comes_in() -> None:
    """It was passed over for good: as it came it was spam, and a change of labels was not asked for."""

    async def test() -> None:
        server = Gmail()
        server.add("first", NOW // SECOND - 300)
        rig = gmail(server)
        await rig.forward(61)
        server.messages |= {"rescued": NOW // SECOND - 200, "read": NOW // SECOND - 900_000}
        labels = (("rescued", "SPAM"), ("read", "UNREAD"))
        server.rescued = [
            {"id": str(150 + n), "labelsRemoved": [{"message": {"id": id, "labelIds": ["INBOX"]}, "labelIds": [label]}]}
            for n, (id, label) in enumerate(labels)
        ]
        await rig.forward(61)
        assert subjects(rig) == ["first", "rescued"]

    asyncio.run(test())


def test_a_history_that_gmail_has_forgotten_is_caught_up_without_loss_or_repeat() -> None:
    async def test() -> None:
        server = Gmail()
        server.add("first", NOW // SECOND - 300)
        rig = gmail(server)
        await rig.forward(61)
        server.add("second", NOW // SECOND)
        server.oldest = server.id = 1_000
        rig.start()  # nothing is remembered: a mail that repeats has the same id
        await rig.forward(120)
        assert sorted(set(subjects(rig))) == ["first", "second"]
        assert len({fact.meta.id for fact in rig.facts}) == 2
        assert '"history":"1000"' in rig.state.cursor

    asyncio.run(test())


@pytest.mark.parametrize(
    ("text", "files", "taken_in", "left_out"),
    [
        ("Hello", 3_000_000, "Hello", "its files"),  # of which no record has room
        ("Hello", 30_000_000, "Hello", "its files"),
        ("Hello " * 300_000, 0, "", "its text and files"),
    ],
)
def test_of_a_message_that_is_too_long_comes_in_what_fits(text: str, files: int, taken_in: str, left_out: str) -> None:
    """Those between 2 and 16 MB stopped the mailbox: their facts fitted into no record, nor did their quarantine."""

    async def test() -> None:
        server = Gmail()
        server.add("long", NOW // SECOND - 300)
        server.add("short", NOW // SECOND - 200)
        server.text, server.files = text, {"long": files}
        rig = gmail(server)
        await rig.forward(20)
        facts = [(fact.subject, fact.text) for fact in rig.facts]
        assert facts == [("long", taken_in), ("short", taken_in)]
        assert f"without {left_out}" in rig.state.notice and rig.state.problem == ""

    asyncio.run(test())


def test_resend_gives_each_mail_once_and_one_that_was_deleted_holds_up_nothing() -> None:
    mails = [("a", "2026-10-05 08:00:00.5+00"), ("b", "2026-10-05 08:30:00+00"), ("gone", "2026-10-05 08:40:00+00")]
    requests: list[str] = []

    def answer(request: httpx.Request, query: dict[str, str]) -> Answer:
        id = request.url.path.removeprefix("/emails/receiving").strip("/")
        if not id:
            order = [name for name, _ in reversed(mails)]
            start = order.index(query["after"]) + 1 if "after" in query else 0
            page = [{"id": name, "created_at": at} for name, at in list(reversed(mails))[start : start + 2]]
            return 200, {"object": "list", "has_more": start + 2 < len(mails), "data": page}, {}
        requests.append(id)
        if id == "gone":
            return 404, {"message": "Not found"}, {}
        mail = {
            "object": "email",
            "id": id,
            "from": "o@example.net",
            "to": ["s@example.com"],
            "subject": id,
            "text": "?",
        }
        return 200, mail, {}

    async def test() -> None:
        connection = connection_of(1, "secret", "acme", api_key="re_1", since="2026-10-05")
        rig = Rig(replace(RESEND, parse=parse_resend), answer, connection)
        await rig.forward(61)
        assert subjects(rig) == ["a", "b"]
        mails.append(("c", "2026-10-05 09:10:00+00"))
        requests.clear()
        await rig.forward(120)
        assert subjects(rig) == ["a", "b", "c"]
        assert "a" not in requests and "b" not in requests

    asyncio.run(test())


def test_google_forms_gives_each_response_with_its_questions_once() -> None:
    def response(id: str, at: str, **answers: str) -> dict[str, object]:
        named = {
            name: {"questionId": name, "textAnswers": {"answers": [{"value": one}]}} for name, one in answers.items()
        }
        return {"responseId": id, "lastSubmittedTime": at, "answers": named}

    first = response("r1", "2026-10-05T09:01:30.5Z", q2="067 000 00 01", q1="Iryna")
    responses = [response("r2", "2026-10-05T09:01:31Z", q1="Petro"), first]
    requests: list[str] = []

    def answer(request: httpx.Request, query: dict[str, str]) -> Answer:
        requests.append(request.url.path)
        if request.url.path.endswith("/token"):
            return 200, {"access_token": "T"}, {}
        if request.url.path.endswith("/responses"):
            since = query["filter"].removeprefix("timestamp >= ")
            found = [one for one in responses if str(one["lastSubmittedTime"]) >= since]
            return 200, {"responses": found} if found else {}, {}
        items = [
            {"title": "Name", "questionItem": {"question": {"questionId": "q1", "textQuestion": {}}}},
            {"title": "Phone", "questionItem": {"question": {"questionId": "q2", "textQuestion": {}}}},
        ]
        return 200, {"formId": "F", "info": {"title": "Registration"}, "items": items}, {}

    async def test() -> None:
        connection = connection_of(1, "secret", "acme", form="F", oauth="a:b:c", since="2026-10-05")
        rig = Rig(replace(FORMS, parse=parse_forms), answer, connection)
        await rig.forward(30)
        assert [(fact.name, [one.text for one in fact.phones]) for fact in rig.facts] == [
            ("Iryna", ["067 000 00 01"]),
            ("Petro", []),
        ]
        requests.clear()
        await rig.forward(60)
        assert requests == ["/v1/forms/F/responses"]
        responses.append(response("r3", "2026-10-05T09:02:00Z", q1="Olha"))
        await rig.forward(60)
        assert [fact.name for fact in rig.facts] == ["Iryna", "Petro", "Olha"]
        responses.append(response("r0", "2026-10-05T08:55:00Z", q1="Danylo"))  # it appears after later ones
        responses.remove(first)
        responses.append(response("r1", "2026-10-05T09:02:30Z", q1="Iryna B"))  # it was edited by who had sent it
        await rig.forward(120)
        assert [fact.name for fact in rig.facts] == ["Iryna", "Petro", "Olha", "Danylo", "Iryna B"]
        assert read_cursor(rig.state.cursor, Place) == Place(
            "2026-10-05T09:02:30Z",
            {
                "r0": "2026-10-05T08:55:00Z",
                "r1": "2026-10-05T09:02:30Z",
                "r2": "2026-10-05T09:01:31Z",
                "r3": "2026-10-05T09:02:00Z",
            },
        )
        responses.append(response("r4", "2026-10-05T09:12:30Z", q1="Ihor"))
        await rig.forward(60)
        assert set(read_cursor(rig.state.cursor, Place).kept) == {"r1", "r4"}  # no longer than it must

    asyncio.run(test())
