"""Field names with PHP brackets, as trees: `payment[products][0][name]`, `tags[]`, and the plainly repeated `tags`."""

from collections.abc import Sequence
from functools import lru_cache

from crm.errors import Malformed
from services.connectors.formats.exact_json import DEEPEST, Tree, Value

_CACHED = 200  # characters: longer names are read each time, so that they cannot fill the memory


def nest(pairs: Sequence[tuple[str, str]]) -> Tree:
    """Builds the tree. Repeated names become a list; a name that clashes with a deeper one keeps its brackets."""
    tree: Tree = dict(pairs)
    if len(tree) == len(pairs) and "[" not in "".join(tree):
        return tree
    tree = {}
    bracketed = False
    for name, value in pairs:
        if "[" in name and len(path := path_of(name) if len(name) <= _CACHED else split(name)) > 1:
            bracketed = True
            _put(tree, path, name, value)
        else:
            _add(tree, name, value)
    return (
        {name: _settle(value) if isinstance(value, dict) else value for name, value in tree.items()}
        if bracketed
        else tree
    )


def split(name: str) -> tuple[str, ...]:
    """`a[b][]` is ("a", "b", ""); a name whose brackets do not match is itself. Raises Malformed past 32 levels."""
    head, _, rest = name.partition("[")
    if not head or not rest.endswith("]"):
        return (name,)
    path = (head, *rest[:-1].split("]["))
    if len(path) > DEEPEST:
        raise Malformed(f"A field's name is nested deeper than {DEEPEST}.")
    return path


path_of = lru_cache(maxsize=4_096)(split)


def _put(tree: Tree, path: tuple[str, ...], name: str, value: str) -> None:
    node = tree
    for step in path[:-1]:
        inner = node.setdefault(step or str(len(node)), {})
        if not isinstance(inner, dict):
            return _add(tree, name, value)
        node = inner
    last = path[-1] or str(len(node))
    if last in node:
        _add(node, last, value)
    else:
        node[last] = value


def _add(node: Tree, name: str, value: str) -> None:
    if name not in node:
        node[name] = value
        return
    present = node[name]
    if isinstance(present, dict):
        _add(present, str(len(present)), value)
    elif isinstance(present, list):
        present.append(value)
    else:
        node[name] = [present, value]


def _settle(value: Value) -> Value:
    """PHP counts its lists: what is numbered from 0 without a gap is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _settle(item) if isinstance(item, dict) else item for name, item in value.items()}
    if "0" not in inner and inner:
        return inner
    return list(inner.values()) if all(name == str(i) for i, name in enumerate(inner)) else inner
