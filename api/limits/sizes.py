"""Measures a document with its fragments expanded, in one walk that visits each fragment once."""

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

META = ("__schema", "__type")


@dataclass(frozen=True)
class Sizes:
    """Sizes of a part of a document. `top`: fields of its first level; `introspection`: the depth below `__schema`."""

    depth: int = 0
    introspection: int = 0
    top: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def combined(self, other: "Sizes") -> "Sizes":
        """Returns the sizes of two parts on the same level: the larger depths and the sums."""
        return Sizes(
            max(self.depth, other.depth),
            max(self.introspection, other.introspection),
            self.top + other.top,
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


@dataclass
class Walk:
    """Walks a document. A fragment that contains itself counts once; validation reports it."""

    fragments: dict[str, FragmentDefinitionNode]
    known: dict[str, Sizes] = field(default_factory=dict)

    def selections(self, chosen: SelectionSetNode | None) -> Sizes:
        whole = Sizes()
        for selection in chosen.selections if chosen else ():
            whole = whole.combined(self.selection(selection))
        return whole

    def selection(self, node: SelectionNode) -> Sizes:
        directives = Sizes(directives=len(node.directives or ()))
        if isinstance(node, FieldNode):
            return directives.combined(self.field(node))
        if isinstance(node, FragmentSpreadNode):
            return directives.combined(self.fragment(node.name.value))
        return directives.combined(self.selections(getattr(node, "selection_set", None)))

    def field(self, node: FieldNode) -> Sizes:
        below = self.selections(node.selection_set)
        meta = node.name.value in META
        return Sizes(
            0 if meta else below.depth + 1,
            max(below.introspection, below.depth + 1 if meta else 0),
            1,
            below.fields + 1,
            below.aliases + (node.alias is not None),
            below.directives,
        )

    def fragment(self, name: str) -> Sizes:
        if name not in self.known:
            self.known[name] = Sizes()
            if found := self.fragments.get(name):
                own = Sizes(directives=len(found.directives or ()))
                self.known[name] = own.combined(self.selections(found.selection_set))
        return self.known[name]


def sizes(document: DocumentNode) -> Sizes:
    """Returns the depth of the deepest operation, and the sums over all operations."""
    walk = Walk({d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)})
    whole = Sizes()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            variables = sum(len(v.directives or ()) for v in definition.variable_definitions or ())
            own = Sizes(directives=len(definition.directives or ()) + variables)
            whole = whole.combined(own).combined(walk.selections(definition.selection_set))
    return whole
