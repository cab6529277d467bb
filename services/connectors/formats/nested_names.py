"""Field names with PHP brackets, as trees: `payment[products][0][name]`, `tags[]`, and the plainly repeated `tags`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

from crm.errors import Malformed
from services.connectors.formats.exact_json import DEEPEST, Tree, Value

_LONGEST = 4_000  # characters of all names
Shape: TypeAlias = "int | list[Shape] | dict[str, Shape]"  # numbers stand for the values of the fields, in their order
Names = tuple[str, ...]
P = ParamSpec("P")
T = TypeVar("T")


def cached_by_names(found: Callable[Concatenate[Names, P], T]) -> Callable[Concatenate[Names, P], T]:
    """Keeps what follows from the names of fields, which are the same each time that a form is sent.

    Longer names than forms have are read each time, so that nobody can fill the memory with them.
    """
    known = lru_cache(maxsize=1_024)(found)

    def of(names: Names, /, *rest: P.args, **named: P.kwargs) -> T:
        if sum(map(len, names)) > _LONGEST:
            return found(names, *rest, **named)
        return known(names, *rest, **named)  # type: ignore[arg-type]  # what follows from names is hashable

    return of


def nest(pairs: Sequence[tuple[str, str]]) -> Tree:
    """Builds the tree. Repeated names become a list; a name that clashes with a deeper one keeps its brackets."""
    tree: Tree = dict(pairs)
    if len(tree) == len(pairs) and "[" not in "".join(tree):
        return tree
    return _filled(shape_of(tuple(name for name, _ in pairs)), [value for _, value in pairs])


def _filled(shape: dict[str, Shape], values: list[str]) -> Tree:
    return {name: values[at] if type(at) is int else _inner(at, values) for name, at in shape.items()}


def _inner(shape: Shape, values: list[str]) -> Value:
    if isinstance(shape, dict):
        return _filled(shape, values)
    return [_inner(item, values) for item in shape] if isinstance(shape, list) else values[shape]


@cached_by_names
def shape_of(names: Names) -> dict[str, Shape]:
    """Returns the tree with the numbers of the fields in place of their values. Raises Malformed when a name is nested
    too deeply."""
    tree: dict[str, Shape] = {}
    bracketed = False
    for number, name in enumerate(names):
        if "[" in name and len(path := split(name)) > 1:
            bracketed = True
            _put(tree, path, name, number)
        else:
            _add(tree, name, number)
    return {name: _settle(inner) for name, inner in tree.items()} if bracketed else tree


def split(name: str) -> tuple[str, ...]:
    """`a[b][]` is ("a", "b", ""); a name whose brackets do not match is itself. Raises Malformed past 32 levels."""
    head, _, rest = name.partition("[")
    if not head or not rest.endswith("]"):
        return (name,)
    path = (head, *rest[:-1].split("]["))
    if len(path) > DEEPEST:
        raise Malformed(f"A field's name is nested deeper than {DEEPEST}.")
    return path


def _put(tree: dict[str, Shape], path: tuple[str, ...], name: str, value: int) -> None:
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


def _add(node: dict[str, Shape], name: str, value: int) -> None:
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


def _settle(value: Shape) -> Shape:
    """PHP counts its lists: what is numbered from 0 without a gap is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _settle(item) for name, item in value.items()}
    if "0" not in inner and inner:
        return inner
    return list(inner.values()) if all(name == str(i) for i, name in enumerate(inner)) else inner
