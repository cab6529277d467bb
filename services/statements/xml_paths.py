"""Paths in XML by local names: the versions of one message differ in nothing but their namespace."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element


def local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def paths(element: Element, path: str) -> Iterator[Element]:
    """Yields the elements at a path of child names such as Refs/EndToEndId."""
    name, _, rest = path.partition("/")
    for child in element:
        if local(child) == name:
            if rest:
                yield from paths(child, rest)
            else:
                yield child


def path_text(element: Element | None, path: str) -> str:
    """Returns the text at a path, empty where there is none; of several elements the first that has any."""
    found = () if element is None else paths(element, path)
    return next((text for one in found if (text := (one.text or "").strip())), "")
