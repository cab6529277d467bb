"""Subscriptions that share one query: they differ only in the arguments of their field, so one read serves all."""

import asyncio
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import structlog
from graphql import FieldNode, FragmentDefinitionNode, VariableNode, Visitor, get_operation_ast, print_ast, visit

from api.errors import ApiError, TooSlow, Unauthorized, Unavailable
from api.http.numbers import ENCODER
from api.http.request import GraphQLRequest
from api.limits.documents import parse_document
from api.live.subscriptions.feed import CURSOR
from api.live.subscriptions.hub import Hub
from api.live.subscriptions.row_results import Results, RowResults
from api.live.subscriptions.subscriber import Subscriber

BATCH = 250  # rows of one read
SHARE = 50  # rows of one subscriber in a read
RETRY_SECONDS = 0.5
MARK = CURSOR.encode()
log = structlog.get_logger()


def cohort_key(text: str, request: GraphQLRequest) -> Hashable:
    """Returns a key that is equal for requests with the same results for a row."""
    selection, names = row_selection(text, request.operation_name)
    used = {name: value for name, value in (request.variables or {}).items() if name in names}
    return selection, ENCODER.encode(used)


@lru_cache(maxsize=200)
def row_selection(text: str, operation: str | None) -> tuple[str, frozenset[str]]:
    """Returns the operation as text without the arguments of its root field, and the names of its variables."""
    found = parse_document(text)  # it was validated before
    chosen = get_operation_ast(found, operation)
    assert chosen is not None
    root, *more = chosen.selection_set.selections
    if more or not isinstance(root, FieldNode) or root.selection_set is None:
        return f"{operation} {text}", frozenset(v.variable.name.value for v in chosen.variable_definitions or ())
    fragments = (node for node in found.definitions if isinstance(node, FragmentDefinitionNode))
    parts = [root.selection_set, *fragments]
    names = Names()
    for part in parts:
        visit(part, names)
    label = root.alias.value if root.alias else ""
    return " ".join([label, root.name.value, *map(print_ast, parts)]), frozenset(names.found)


class Names(Visitor):
    """Collects the names of the used variables."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)


class Failed(ApiError):
    """An internal error."""

    code = "INTERNAL"


class Cohort:
    """Sends results to all subscribers with the same query of a workspace, and reads each changed row once for them.

    Runs while changes wait. A client with unsent messages is skipped until they are sent.
    """

    def __init__(self, results: RowResults, workspace: str, hub: Hub) -> None:
        self.results, self.workspace, self.hub = results, workspace, hub
        self.projection = results.feed.projection.name
        self.ready: dict[Subscriber, None] = {}
        self.task: asyncio.Task[None] | None = None

    def wake(self, subscriber: Subscriber) -> None:
        if not subscriber.client.busy:
            self.ready[subscriber] = None
            if self.task is None:
                self.task = asyncio.create_task(self.run())

    def leave(self, subscriber: Subscriber) -> None:
        self.ready.pop(subscriber, None)
        self.hub.remove(subscriber)

    async def run(self) -> None:
        try:
            while self.ready:
                todo = self.next()
                if not todo:
                    continue
                keys = list(dict.fromkeys(key for some in todo.values() for key in some))
                try:
                    read = await self.results.read(self.workspace, keys)
                except (Unavailable, TooSlow):
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for subscriber, wanted in todo.items():
                    if subscriber in self.ready:
                        self.send(subscriber, wanted, read)
        except Exception:
            log.exception("changed rows cannot be sent", projection=self.projection)
            for subscriber in list(self.ready):
                subscriber.client.fail(Failed("Internal error. It is in the server's log."))
        finally:
            self.task = None

    def next(self) -> dict[Subscriber, list[str]]:
        """Returns up to BATCH keys, in turn, by subscriber."""
        todo: dict[Subscriber, list[str]] = {}
        room = BATCH
        for subscriber in list(self.ready):
            if keys := subscriber.next(min(room, SHARE), self.hub.dispatched[self.projection]):
                todo[subscriber] = keys
                room -= len(keys)
                if not room:
                    break
            else:
                del self.ready[subscriber]
        return todo

    def send(self, subscriber: Subscriber, keys: list[str], read: Results) -> None:
        client = subscriber.client
        try:
            client.check_token()
        except Unauthorized as error:
            return client.fail(error)
        for key in keys:
            left = subscriber.has_left(key, read.values.get(key))
            subscriber.mark_sent(key, read.seen, reported=left is not None)
            if left is not None and (body := read.body(key, left)) is not None:
                cursor = subscriber.cursor.encode(self.workspace, self.projection)
                client.send_result(body.replace(MARK, cursor.encode()), cursor)
        del self.ready[subscriber]
        if subscriber.due:
            self.wake(subscriber)
