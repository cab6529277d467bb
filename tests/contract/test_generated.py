"""What is made from the schemas is what lies on disk: the classes, the registry and the table of topics."""

import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from crm import events, facts, shared
from crm.contract import codec
from crm.contract.generate import BASES, MARK, PAGE, SCHEMAS, render, sources, topics_table, with_table
from crm.contract.registry import unpublished
from tests.contract.conftest import Edit

ROOT = SCHEMAS.parent.parent
CLASSES = vars(shared) | vars(facts) | vars(events)


def outdated(folder: str, root: Path = SCHEMAS) -> bool:
    return render(folder, root) != (ROOT / "crm" / f"{folder}.py").read_text()


@pytest.mark.parametrize("folder", BASES)
def test_the_classes_are_those_of_the_schemas(folder: str) -> None:
    assert not outdated(folder), f"crm/{folder}.py is not what schemas/avro/{folder} says. Run make events."


def test_a_schema_that_the_classes_do_not_have_is_seen(contract: Path, edit: Edit) -> None:
    edit("shared/phone", "A telephone number.", "A phone number.")
    assert [folder for folder in BASES if outdated(folder, contract)] == ["shared"]


@pytest.mark.parametrize("folder", BASES)
def test_the_classes_come_out_formatted(folder: str) -> None:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", f"{folder}.py", "-"]
    done = subprocess.run(ruff, input=render(folder), capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == render(folder)


def test_the_registry_has_what_is_written_today() -> None:
    assert unpublished() == []
    assert {record.__name__ for record in codec.WRITERS} == set(codec.RECORDS)


def test_an_unpublished_schema_is_seen(contract: Path, edit: Edit) -> None:
    edit("events/deal_paid", "What is paid for a deal changed.", "What was paid for a deal changed.")
    assert unpublished(contract) == ["DealPaid"]


@pytest.mark.parametrize("folder", BASES)
def test_each_class_has_the_fields_and_defaults_of_its_schema(folder: str) -> None:
    for schema in sources(folder):
        fields = msgspec.structs.fields(CLASSES[schema["name"]])
        assert [field.name for field in fields] == [field["name"] for field in schema["fields"]]
        for field, declared in zip(fields, schema["fields"], strict=True):
            made = field.default_factory() if callable(field.default_factory) else field.default
            default = msgspec.NODEFAULT if made is msgspec.NODEFAULT else msgspec.to_builtins(made)
            expected = declared.get("default", msgspec.NODEFAULT)
            assert (list(default) if isinstance(default, tuple) else default) == expected, field.name


def faults(topics: str) -> list[str]:
    """What is wrong with a file of topics."""
    declared = list(tomllib.loads(topics).values())
    names = [topic["name"] for topic in declared]
    return [
        *(f"{name} is declared twice" for name in sorted(set(names)) if names.count(name) > 1),
        *(f"{topic['name']} has no partitions" for topic in declared if topic["partitions"] < 1),
        *(f"{topic['name']} has no sentence" for topic in declared if not topic["about"].endswith(".")),
        *(f"{topic['name']} does not say its key" for topic in declared if "Key: " not in topic["about"]),
    ]


def test_each_topic_has_one_name_partitions_and_a_sentence_with_its_key() -> None:
    assert faults((SCHEMAS / "topics.toml").read_text()) == []


def test_a_bad_file_of_topics_is_seen() -> None:
    bad = '[a]\nname = "crm.a"\nabout = ""\npartitions = 0\n[b]\nname = "crm.a"\nabout = "B. Key: b."\npartitions = 1\n'
    assert faults(bad) == [
        "crm.a is declared twice",
        "crm.a has no partitions",
        "crm.a has no sentence",
        "crm.a does not say its key",
    ]


def test_the_table_in_the_docs_is_that_of_the_topics() -> None:
    page = PAGE.read_text()
    assert page == with_table(page, topics_table()), "docs/contract.md has another table of topics. Run make events."
    assert with_table(f"a\n{MARK}\nold\n{MARK}\nb\n", "new\n") == f"a\n{MARK}\nnew\n{MARK}\nb\n"
