"""JSON schemas of the custom resources of Strimzi, CloudNativePG and the Prometheus operator.

The operators publish their resources as YAML in their repositories, which no package registry has. The crates `kcr_*`
of kube-custom-resources-rs have them as Rust types that kopium generates from that YAML every week: one struct for each
object, `Option` for what may be missing, an enum for a list of values. This reads those types back into schemas.
Patterns, ranges and the values of lists of texts are not in them.

`cargo fetch` in this folder brings the crates that Cargo.toml names; `python -m tests.kubernetes.crd_schemas` then
writes schemas/.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
SOURCES = Path(os.environ.get("CARGO_HOME", "~/.cargo")).expanduser() / "registry" / "src"
KINDS = {
    "kcr_kafka_strimzi_io": ("kafkas", "kafkanodepools", "kafkausers"),
    "kcr_postgresql_cnpg_io": ("clusters",),
    "kcr_monitoring_coreos_com": ("podmonitors",),
}
Schema = dict[str, Any]

TYPE = re.compile(r"^pub (struct|enum) (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
MEMBER = re.compile(r"(?:#\[serde\((.*?)\)\]\s+)?(?:pub )?(?:r#)?(\w+)(?:: (.*?))?,\n")
PLAIN: dict[str, Schema] = {
    "String": {"type": "string"},
    "bool": {"type": "boolean"},
    "i32": {"type": "integer"},
    "i64": {"type": "integer"},
    "f64": {"type": "number"},
    "IntOrString": {"type": ["integer", "string"]},
    "Condition": {"type": "object"},
    "serde_json::Value": {},
}


def members(body: str) -> Iterator[tuple[str, str]]:
    """Yields the names that members have in YAML, and their types."""
    for given, name, kind in MEMBER.findall(re.sub(r"^ *///.*\n", "", body, flags=re.MULTILINE)):
        renamed = re.search(r'rename = "([^"]*)"', given)
        yield (renamed[1] if renamed else name), kind


def of_type(kind: str) -> Schema:
    """Returns the schema of a Rust type."""
    if inner := re.fullmatch(r"(?:Option|Box)<(.*)>", kind):
        return of_type(inner[1])
    if inner := re.fullmatch(r"Vec<(.*)>", kind):
        return {"type": "array", "items": of_type(inner[1])}
    if inner := re.fullmatch(r"BTreeMap<String, (.*)>", kind):
        return {"type": "object", "additionalProperties": of_type(inner[1])}
    return PLAIN.get(kind, {"$ref": f"#/$defs/{kind}"})


def schema(source: str) -> Schema:
    """Returns the schema of the resource that one file declares, without its status."""
    defs: dict[str, Schema] = {}
    for form, name, body in TYPE.findall(source):
        found = list(members(body))
        if form == "enum":
            defs[name] = {"enum": [value for value, _ in found]}
        else:
            required = [field for field, kind in found if not kind.startswith("Option<")]
            fields = {field: of_type(kind) for field, kind in found}
            defs[name] = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    named = {key: value for key, value in re.findall(r'(group|version|kind) = "([^"]+)"', source)}
    properties = {
        "apiVersion": {"const": f"{named['group']}/{named['version']}"},
        "kind": {"const": named["kind"]},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {"$ref": f"#/$defs/{named['kind']}Spec"},
    }
    used = reached(defs, f"{named['kind']}Spec")
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": {name: defs[name] for name in sorted(used)},
    }


def reached(defs: dict[str, Schema], name: str) -> set[str]:
    """Returns the definitions that this one needs, itself included. Raises KeyError for one that is not there."""
    found, waiting = set[str](), [name]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting += re.findall(r"#/\$defs/(\w+)", json.dumps(defs[one]))
    return found


def main() -> None:
    wanted = dict(re.findall(r'^(kcr_\w+) = \{ version = "=([^"]+)"', (HERE / "Cargo.toml").read_text(), re.MULTILINE))
    for crate, files in KINDS.items():
        (folder,) = SOURCES.glob(f"*/{crate}-{wanted[crate]}/src/v1")
        for file in files:
            written = schema((folder / f"{file}.rs").read_text())
            (SCHEMAS / f"{file}.json").write_text(json.dumps(written, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
