"""`python -m tests.chaos.next_version MODULE` runs a role of the next release, which knows one more event type.

Its decide emits a FormCounted next to the events of each form, under a schema id that today's registry does not have,
and its project folds them into a read model of its own. docs/upgrading.md tells in which order roles are replaced.
"""

import runpy
import sys
from typing import Any

from msgspec.structs import replace

from crm.adapters.postgres.migrations import migrate
from crm.contract import codec, compiled
from crm.contract.generate import sources
from crm.contract.registry import whole
from crm.decisions.case import Case
from crm.engine import decide_batch as deciding
from crm.envelope import Event, Row
from crm.facts import FormSubmitted
from crm.projection import projection
from crm.scalars import Id
from crm.settings import Settings
from projections import PROJECTIONS

SCHEMA = {
    "type": "record",
    "name": "FormCounted",
    "namespace": "crm",
    "doc": "A form was decided by the next release.",
    "fields": [
        {"name": "meta", "type": "crm.Meta"},
        {"name": "sender", "type": {"type": "string", "logicalType": "uuid"}},
    ],
}


class FormCounted(Event, frozen=True, gc=False):
    """A form was decided by the next release."""

    sender: Id


class FormCountRow(Row, frozen=True, gc=False):
    """How many forms one stream has, counted by the next release."""

    sender: Id
    forms: int


@projection(key="sender", version=1)
def form_count(row: FormCountRow | None, event: FormCounted) -> FormCountRow:
    return replace(row, forms=row.forms + 1) if row else FormCountRow(event.sender, 1)


def register_event() -> None:
    """Registers the event and its read model in this process."""
    if FormCounted in codec.TYPE_NAMES:
        return
    schema, id = whole(SCHEMA, {s["name"]: s for s in sources("shared")}), max(codec.READERS) + 1
    codec.RECORDS["FormCounted"], codec.TYPE_NAMES[FormCounted] = FormCounted, "FormCounted"
    codec.WRITERS[FormCounted] = codec.FRAME.pack(0, id), compiled.writer(schema)
    codec.READERS[id] = FormCounted, compiled.reader(schema, codec.STRUCTS | {"FormCounted": FormCounted})
    PROJECTIONS["form_count"] = form_count


def count_forms() -> None:
    """Makes decide emit the new event for each form."""
    deciding_now: Any = deciding  # what it imported is replaced in it
    today = deciding_now.decided

    def decided(case: Case) -> list[Event]:
        events: list[Event] = today(case)
        if isinstance(case.fact, FormSubmitted):
            stream = events[0].meta.stream
            events.append(FormCounted(case.meta(stream), sender=stream))
        return events

    deciding_now.decided = decided


def main(module: str) -> None:
    register_event()
    count_forms()
    sys.argv = [module]
    if module == "streams.project":  # as a release does before its first role starts
        migrate(Settings.read().database_url, PROJECTIONS.values())
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
