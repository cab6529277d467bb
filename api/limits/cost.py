"""What an operation costs: the rows that it may read at most, counted on the document before anything is run."""

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

PAGE, LARGEST_PAGE = 20, 100
WRAPPERS = ("edges", "node", "nodes", "pageInfo")


@dataclass
class Count:
    """Rows below a selection. A fragment in itself counts once: it is refused by validation."""

    fragments: dict[str, FragmentDefinitionNode]
    known: dict[str, int] = field(default_factory=dict)

    def rows(self, chosen: SelectionSetNode | None) -> int:
        whole = 0
        for node in chosen.selections if chosen else ():
            if isinstance(node, FieldNode):
                whole += self.field(node)
            elif isinstance(node, FragmentSpreadNode):
                whole += self.fragment(node.name.value)
            else:
                whole += self.rows(getattr(node, "selection_set", None))
        return whole

    def field(self, node: FieldNode) -> int:
        if not node.selection_set:
            return 0
        below = self.rows(node.selection_set)
        if node.name.value in WRAPPERS:
            return below
        size = page(node)
        return size + size * below

    def fragment(self, name: str) -> int:
        if name not in self.known:
            self.known[name] = 0
            if found := self.fragments.get(name):
                self.known[name] = self.rows(found.selection_set)
        return self.known[name]


def page(node: FieldNode) -> int:
    """Rows of one field: what `first` or `last` says, the most when a variable says it."""
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, VariableNode):
                return LARGEST_PAGE
            if isinstance(argument.value, IntValueNode):
                text = argument.value.value
                return max(min(int(text), LARGEST_PAGE), 1) if len(text) < 9 else LARGEST_PAGE
    chosen = node.selection_set.selections if node.selection_set else ()
    listed = any(isinstance(s, FieldNode) and s.name.value in ("edges", "nodes") for s in chosen)
    return PAGE if listed else 1


def cost(operation: OperationDefinitionNode, document: DocumentNode) -> int:
    """At least 1."""
    count = Count({d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)})
    return max(count.rows(operation.selection_set), 1)
