"""Inputs of mutations: made from the commands, all described; a caller's mistake is reported with its field."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType
from msgspec import UNSET

from api.commands.inputs import CustomFieldInput, command_of, input_type
from api.context import Context
from api.engine import Engine
from api.errors import BadInput
from api.http.refusal import Refusal
from api.http.request import from_body
from api.schema.root import schema
from crm.commands import Code, Money, Rejected
from crm.decisions.commands import COMMANDS
from crm.shared import Meta
from tests.support.scenarios import NOON, meta

CARD = "33333333-3333-5333-8333-333333333333"
META: Meta = meta("command")
MUTATIONS = schema._schema.mutation_type
assert MUTATIONS


def made(name: str, **said: Any) -> Any:
    kind = COMMANDS[name].command
    return command_of(kind, input_type(kind)(**said), META, {})


OTHERS = {  # those that are no command
    *("batch", "connectionAuthorize", "connectionCheck", "exportStart"),
    *(f"import{what}" for what in ("Check", "Run", "Pause", "Cancel", "CheckUndo", "Undo", "Redo")),
    *(f"quarantine{what}" for what in ("Discard", "Reparse", "ReparseMany")),
    *("whatIfDrop", "whatIfStart", "workspaceCreate"),
}


def test_every_command_is_a_mutation_and_all_of_it_is_described() -> None:
    camel = {name.split("_")[0] + "".join(p.title() for p in name.split("_")[1:]) for name in COMMANDS}
    assert set(MUTATIONS.fields) == camel | OTHERS
    for field in (MUTATIONS.fields[name] for name in camel):
        assert field.description
        payload: Any = field.type.of_type  # type: ignore[union-attr]  # a payload is never null
        assert isinstance(payload, GraphQLObjectType)
        assert {"position", "userErrors"} < set(payload.fields)
        assert all(part.description for part in payload.fields.values())
    inputs = [t for name, t in schema._schema.type_map.items() if isinstance(t, GraphQLInputObjectType)]
    own = [t for t in inputs if t.name.removesuffix("Input") in {c.command.__name__ for c in COMMANDS.values()}]
    assert len(own) == len(COMMANDS)
    assert all(t.description and all(f.description for f in t.fields.values()) for t in own)


def test_fields_that_the_api_sets_cannot_be_given() -> None:
    for name in ("ConnectionAddInput", "ConnectionRemoveInput", "TokenRevokeInput"):
        node: Any = schema._schema.type_map[name]
        assert not {"scopes", "settingNames", "meta"} & set(node.fields)
    removed: Any = schema._schema.type_map["ConnectionRemoveInput"]
    assert set(removed.fields) == {"connectionId", "why"}


def test_an_input_becomes_the_command() -> None:
    amount = input_type(Money)(minor=5)
    fields = [CustomFieldInput(key="price", value=Decimal("1.10")), CustomFieldInput(key="size", value=None)]
    deal = made("deal_open", contact_id=CARD.upper(), title="Desk", amount=amount, stage=None, fields=fields)
    assert (deal.contact_id, deal.title, deal.amount, deal.stage) == (CARD, "Desk", Money(5), None)
    assert deal.fields == {"price": "1.10", "size": "null"}
    assert deal.meta == META


def test_null_counts_as_not_given_unless_the_field_allows_it() -> None:
    assert made("task_change", task_id=CARD).due_at is UNSET
    assert made("task_change", task_id=CARD, due_at=None).due_at is None
    assert made("task_change", task_id=CARD, due_at=strawberry.UNSET, title=None).title is None


def test_a_moment_has_its_zone() -> None:
    kyiv = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert made("task_add", contact_id=CARD, title="x", due_at=kyiv).due_at == NOON
    assert made("task_add", contact_id=CARD, title="x", due_at=datetime(1, 1, 1, tzinfo=UTC)).due_at < 0
    with pytest.raises(BadInput, match="A DateTime needs its offset"):
        made("task_add", contact_id=CARD, title="x", due_at=datetime(2026, 1, 1))  # that is the point


def test_an_invalid_id_finds_nothing() -> None:
    assert made("deal_win", deal_id="'; DROP TABLE deal").deal_id == "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        ("deal_open", {"contact_id": CARD, "title": "x" * 501}, "title"),
        ("deal_open", {"contact_id": CARD, "title": "x", "amount": input_type(Money)(minor=-1)}, "amount.minor"),
        ("deal_change", {"deal_id": CARD, "title": "x" * 501}, "title"),
        ("contact_create", {"phones": ["1" * 201]}, "phones"),
        ("contact_create", {"phones": ["1"] * 21}, "phones"),
        ("contact_change", {"contact_id": CARD, "add_phones": ["1"] * 21}, "addPhones"),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(name: str, said: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        made(name, **said)
    assert (refused.value.field, refused.value.code) == (field, Code.INVALID)
    assert refused.value.message.endswith("Nothing was changed.")


def test_text_that_cannot_be_stored_is_refused_or_replaced() -> None:
    with pytest.raises(BadInput, match="half of a surrogate pair"):
        made("note_add", contact_id=CARD, text="\ud800")
    assert made("note_add", contact_id=CARD, text="a\0b").text == "a\ufffdb"


class Executor:
    """Takes a command and refuses it."""

    command: Any = None

    async def carry_out(self, declared: Any, command: Any, key: str, effect: Any) -> Any:
        self.command = command
        raise Rejected("", Code.INVALID, "That is all.")


def commanded(query: str, variables: str = "{}") -> tuple[Any, Any]:
    """Returns the command that a request becomes, and the answer."""
    token: Any = SimpleNamespace(id="t", workspace=CARD, scopes=("write",), name="")
    access: Any = SimpleNamespace(token=lambda _: token)
    executor, engine = Executor(), Engine()
    nothing: Any = None
    context = Context(nothing, access, nothing, "Bearer x", executor=executor)  # type: ignore[arg-type]  # all that is asked of it
    request = from_body(f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode())
    answer = asyncio.run(engine.answer(engine.prepare(request.query or "", None, token), request.variables, context))
    return executor.command, json.loads(answer.body)


CHANGE = """mutation ($one: JSON, $two: JSON) { dealChange(input: { dealId: "x", fields: [
  { key: "one", value: $one }, { key: "two", value: $two } ] }) { userErrors { message } } }"""


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        ("{}", {}),  # it was a server error
        ('{"one": 1.10}', {"one": "1.10"}),
        ('{"one": null, "two": {"a": [12345678901234567890.12345678901234567891]}}',
         {"one": "null", "two": '{"a":[12345678901234567890.12345678901234567891]}'}),
    ],
)  # fmt: skip
def test_a_custom_field_whose_value_is_not_given_stays_as_it_is(variables: str, fields: dict[str, str]) -> None:
    command, answer = commanded(CHANGE, variables)
    assert answer["data"]["dealChange"]["userErrors"] == [{"message": "That is all."}]
    assert command.fields == fields


def test_a_custom_field_that_is_given_twice_is_refused() -> None:
    """Its first value was lost."""
    command, answer = commanded(CHANGE.replace('"two"', '"one"'), '{"one": 1, "two": 2}')
    assert command is None
    assert answer["errors"][0]["message"] == "`one` is given twice. Nothing was changed. Give it once."


@pytest.mark.parametrize("number", ["1e400", "[1e400]"])
def test_a_custom_field_takes_no_number_out_of_range(number: str) -> None:
    """It was kept as null, which takes the field away."""
    for query, variables in (
        (CHANGE, f'{{"one": {number}}}'),
        (CHANGE.replace("value: $one", f"value: {number}"), "{}"),
    ):
        with suppress(Refusal):
            command, answer = commanded(query, variables)
            assert command is None
            assert any("out of range" in error["message"] for error in answer["errors"])
