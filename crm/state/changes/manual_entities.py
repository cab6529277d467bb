"""Folds events of notes, tasks, commands, connections, tokens and webhooks into the state."""

from typing import Any

from msgspec.structs import replace

from crm.events import (
    CommandAccepted,
    ConnectionAdded,
    ConnectionRemoved,
    ConnectionRotated,
    NoteAdded,
    NoteChanged,
    NoteRemoved,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
    TokenCreated,
    TokenRevoked,
    WebhookAdded,
    WebhookChanged,
    WebhookRemoved,
    WebhookRotated,
)
from crm.state.changes.removals import use
from crm.state.entity import Changes, State, known
from crm.state.manual_entities import Command, ConnectionKept, Note, Task, TokenKept, WebhookKept

STATUS = {TaskDone: "done", TaskReopened: "", TaskRemoved: "removed"}


def command_accepted(state: State, event: CommandAccepted) -> None:
    state.put(event.meta.cause, Command(event.digest, event.row, event.subject, event.meta.stream))


def note_changed(state: State, event: NoteAdded | NoteChanged | NoteRemoved) -> None:
    before = state.get(Note, event.note_id)
    version = before.version + 1 if before else 1
    state.put(event.note_id, Note(event.contact_id, event.deal_id, isinstance(event, NoteRemoved), version))
    if before is None:
        use(state, event.contact_id, event.deal_id)


def put_task(state: State, event: TaskAdded | TaskChanged) -> None:
    before = state.get(Task, event.task_id)
    task = Task(
        contact_id=event.contact_id,
        title=event.title,
        deal_id=event.deal_id,
        due_at=event.due_at,
        owner=event.owner,
        status=before.status if before else "",
        version=before.version + 1 if before else 1,
    )
    state.put(event.task_id, task)
    if before is None:
        use(state, event.contact_id, event.deal_id)


def task_moved(state: State, event: TaskDone | TaskReopened | TaskRemoved) -> None:
    task = known(state, Task, event.task_id)
    state.put(event.task_id, replace(task, status=STATUS[type(event)], version=task.version + 1))


def connection_changed(state: State, event: ConnectionAdded | ConnectionRotated | ConnectionRemoved) -> None:
    before = state.get(ConnectionKept, event.connection_id) or ConnectionKept()
    changed = ConnectionKept(isinstance(event, ConnectionRemoved), before.version + 1)
    state.put(event.connection_id, changed)


def token_changed(state: State, event: TokenCreated | TokenRevoked) -> None:
    before = state.get(TokenKept, event.token_id) or TokenKept()
    state.put(event.token_id, TokenKept(isinstance(event, TokenRevoked), before.version + 1))


def webhook_added(state: State, event: WebhookAdded) -> None:
    wanted = event.types, event.stages, event.changed, event.thin
    state.put(event.webhook_id, WebhookKept(event.name, event.url, *wanted, version=1))


def webhook_changed(state: State, event: WebhookChanged | WebhookRotated | WebhookRemoved) -> None:
    before = known(state, WebhookKept, event.webhook_id)
    changes: dict[str, Any] = {"removed": isinstance(event, WebhookRemoved)}
    if isinstance(event, WebhookChanged):
        names = ("name", "url", "types", "stages", "changed", "thin", "enabled")
        changes |= {name: value for name in names if (value := getattr(event, name)) is not None}
    state.put(event.webhook_id, replace(before, **changes, version=before.version + 1))


CHANGES: Changes = {
    CommandAccepted: command_accepted,
    **dict.fromkeys((NoteAdded, NoteChanged, NoteRemoved), note_changed),
    **dict.fromkeys((TaskAdded, TaskChanged), put_task),
    **dict.fromkeys((TaskDone, TaskReopened, TaskRemoved), task_moved),
    **dict.fromkeys((ConnectionAdded, ConnectionRotated, ConnectionRemoved), connection_changed),
    **dict.fromkeys((TokenCreated, TokenRevoked), token_changed),
    WebhookAdded: webhook_added,
    **dict.fromkeys((WebhookChanged, WebhookRotated, WebhookRemoved), webhook_changed),
}
