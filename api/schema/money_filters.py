"""Conditions on exact amounts. Only amounts of one currency are compared, as others have no order among each other."""

import re
from typing import Any

from api.errors import BadInput
from api.schema.where_inputs import bounds, value_of
from api.sql.plan.values import factor
from crm.connector import HOME

AMOUNT = re.compile(r"(-?[0-9]{1,14}(?:\.[0-9]{1,6})?)(?: ([A-Z]{3}))?")
CODE = re.compile("[A-Z]{3}")
OPERATORS = {"gt": (">", "floor"), "gte": (">=", "ceil"), "lt": ("<", "ceil"), "lte": ("<=", "floor")}
# The value is an amount and a currency, or no currency: then it is the workspace's. Each is in a sub-select of its own,
# evaluated once: under row-level security an index serves no comparison with an expression that could leak a row.
CURRENCY = (
    "(SELECT CASE split_part({value}::text, ' ', 2) WHEN '' THEN coalesce((SELECT p.currency FROM read.pipeline AS p "
    f"WHERE p.workspace = {{workspace}} LIMIT 1), '{HOME.currency}') ELSE split_part({{value}}::text, ' ', 2) END)"
)


def amount_conditions(column: str) -> dict[str, tuple[str, str]]:
    """Returns the column and the SQL of each operator."""
    unit = factor("c.code").replace("{", "{{").replace("}", "}}")
    minor = f"split_part({{value}}::text, ' ', 1)::numeric / ({unit})"
    compared = {
        operator: (
            column,
            f"{{t}}.{column} {sign} (SELECT {rounded}({minor})::bigint FROM (SELECT {CURRENCY} AS code) AS c)",
        )
        for operator, (sign, rounded) in OPERATORS.items()
    }
    return {"currency": ("currency", f"{{t}}.currency = {CURRENCY}"), **compared}


def amounts(name: str, request: Any) -> dict[str, str]:
    """Returns the operators of an input as amounts with their currency, and `currency`. Raises BadInput."""
    given = {op: value for op in OPERATORS if (value := value_of(request, op)) is not None}
    if (between := value_of(request, "between")) is not None:
        given |= bounds(name, between, given)
    if (same := value_of(request, "eq")) is not None:
        given |= bounds(name, [same, same], given)
    named = value_of(request, "currency")
    if named is None and not given:
        return {}
    found = {}
    currencies = {named.upper()} if named else set()
    if named and not CODE.fullmatch(named.upper()):
        raise BadInput(f"`{name}.currency` is {named[:40]!r}, which is no ISO 4217 code. Nothing was read.")
    for operator, text in given.items():
        exact = AMOUNT.fullmatch(text)
        if not exact:
            raise BadInput(
                f'`{name}.{operator}` is {text[:40]!r}. Write an amount as "100.00" or "100.00 UAH", with at most 14 '
                "digits before the point and 6 behind it. Nothing was read."
            )
        found[operator] = exact[1]
        currencies |= {exact[2]} if exact[2] else set()
    if len(currencies) > 1:
        raise BadInput(f"`{name}` names several currencies; amounts are compared in one. Nothing was read.")
    currency = next(iter(currencies), "")
    return {"currency": f"0 {currency}", **{op: f"{number} {currency}" for op, number in found.items()}}
