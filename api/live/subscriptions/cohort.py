"""Which subscriptions are alike: they differ in `id` and `after` only, so one reading serves them all."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    VariableNode,
    Visitor,
    get_operation_ast,
    print_ast,
    visit,
)

from api.http.asked import Asked
from api.http.numbers import ENCODER
from api.limits.documents import parsed


def alike(text: str, asked: Asked) -> Hashable:
    """Equal for those that are."""
    told, names = asked_of_a_row(text, asked.operation_name)
    return told, ENCODER.encode({name: value for name, value in (asked.variables or {}).items() if name in names})


@lru_cache(maxsize=200)
def asked_of_a_row(text: str, operation: str | None) -> tuple[str, frozenset[str]]:
    """What is asked, as text without the arguments of the root field; and the names of the variables in it."""
    found = parsed(text)  # it was found valid before
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
    """Collects the variables that are used."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)
