"""`make reference`: the page is made, names every type, field and argument of the schema, and loads nothing."""

import re
from html import unescape
from pathlib import Path

from graphql import GraphQLSchema, build_schema, is_input_object_type, is_interface_type, is_object_type

from api.reference import ROOT, make

LOADS = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=|@import|url\((?!["']?data:)""")


def missing(schema: GraphQLSchema, page: str) -> list[str]:
    """Types and fields that the page does not tell of."""
    words = set(re.findall(r"\w+", unescape(re.sub(r"<[^>]*>", " ", page))))
    wanted = {name for name in schema.type_map if not name.startswith("__")} - {"Query", "Mutation", "Subscription"}
    for type_ in schema.type_map.values():
        if is_object_type(type_) or is_interface_type(type_) or is_input_object_type(type_):
            wanted |= {f"{type_.name}.{field}" for field in type_.fields if not type_.name.startswith("__")}
    return sorted(name for name in wanted if name.rpartition(".")[2] not in words)


def test_the_reference_tells_of_everything(tmp_path: Path) -> None:
    page = make(tmp_path).read_text("utf-8")
    sdl = (ROOT / "schema.graphql").read_text("utf-8")
    assert missing(build_schema(sdl), page) == []
    assert missing(build_schema(sdl + "type Planted { unheardOf: ID }"), page) == ["Planted", "Planted.unheardOf"]
    assert LOADS.findall(page) == [] and [file.name for file in tmp_path.iterdir()] == ["index.html"]
    assert LOADS.search('<script src="https://elsewhere/a.js">')
