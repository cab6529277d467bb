"""importCheck, importRun, importUndo and the like: what shall be done with a file that was sent. No event, no row.

The bytes of a file come by `POST /imports`: decision 59.
"""

from typing import Any

import strawberry

from api.commands.answers import UserError, user_error
from api.context import Info
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.imports import FileImport, shown, store_of
from crm.commands import Code, Rejected
from crm.imports import Options, Wish, next_request
from crm.scalars import Id
from crm.vocabulary import Existing

ABOUT = {
    Wish.CHECK: "Checks every row of a file that was sent, on the decisions that a run makes. Nothing is changed.",
    Wish.RUN: "Imports a file that was sent. After a pause it goes on at the row where it was.",
    Wish.PAUSE: "Stops a check or a run. `importRun` goes on at the row where it was.",
    Wish.CANCEL: "Stops an import. What was imported stays, and a later run changes nothing of it.",
    Wish.CHECK_UNDO: "Says what an undo would take back, and what it would leave and why. Nothing is changed.",
    Wish.UNDO: "Takes an import back: by events, and all but what people and other sources changed since.",
    Wish.REDO: "Takes an undo back: the rows come again, with the ids and numbers that they had.",
}
POLICIES = ("update", *Existing)


@strawberry.input(description="A column, and what it is.")
class ImportColumnInput:
    name: str = strawberry.field(description="Its header.")
    target: str = strawberry.field(description="Such as `name` or `fields.NAME`; empty leaves it out.")


@strawberry.input(description="What a person says of a file; everything that is left out is found in it.")
class ImportOptionsInput:
    record: str = strawberry.field(default="", description="contact, deal or the key of a type of objects.")
    columns: list[ImportColumnInput] = strawberry.field(default_factory=list, description="Columns to correct.")
    system: str = strawberry.field(default="", description="Whose keys the rows have.")
    existing: str = strawberry.field(
        default="update", description="What happens to a record that is there: update, fill or skip."
    )
    charset: str = strawberry.field(default="", description="Of a text.")
    delimiter: str = strawberry.field(default="", description="Of a text.")
    sheet: str = strawberry.field(default="", description="Of a workbook.")


def mutation(wish: Wish) -> Any:
    """Returns the mutation field of a wish."""

    async def body(_: Any, info: Info, id: str, options: ImportOptionsInput | None = None) -> dict[str, Any]:
        store, workspace = store_of(info, "write")
        try:
            request = await store.request(workspace, Id(known_id(id)))
            if request is None:
                why = f"There is no import {id}. Nothing was changed: send the file to `POST /imports`."
                raise Rejected("id", Code.NOT_FOUND, why)
            said = None if options is None else options_of(options)
            try:
                changed = next_request(request, await store.status(workspace, request.id), wish, said)
            except ValueError as error:
                raise Rejected("", Code.UNCHANGED, str(error)) from None
        except Rejected as refusal:
            return {"file_import": None, "user_errors": [user_error(refusal)]}
        await store.ask(changed)
        return {"file_import": await shown(store, changed), "user_errors": []}

    about = {"id": Argument(strawberry.ID, about="Id that `POST /imports` answered with.")}
    if wish in (Wish.CHECK, Wish.RUN):
        about["options"] = Argument(ImportOptionsInput | None, None, "What the file does not say; null: as before.")
    return field(payload(wish), about, body, f"{ABOUT[wish]} Needs `write`.")


def payload(wish: Wish) -> Any:
    """Returns the type of a mutation's result."""
    called = "".join(word.capitalize() for word in wish.split("-"))
    name = f"Import{called}Payload"
    described: dict[str, tuple[Any, str]] = {
        "file_import": (FileImport | None, "The import as it is now; null when nothing was changed."),
        "user_errors": (list[UserError], "Mistakes that the user can correct. If there are any, nothing was changed."),
    }
    hints = {attribute: hint for attribute, (hint, _) in described.items()}
    cls = type(name, (), {"__module__": __name__, "__annotations__": hints})
    for attribute, (_, about) in described.items():
        setattr(cls, attribute, strawberry.field(description=about))
    return strawberry.type(cls, name=name, description=f"Result of `import{called}`.")


def options_of(given: ImportOptionsInput) -> Options:
    """Raises Rejected."""
    if given.existing not in POLICIES:
        why = f"What happens to a record that is there: {', '.join(POLICIES)}. Nothing was changed."
        raise Rejected("options", Code.INVALID, why)
    columns = {column.name: column.target for column in given.columns}
    return Options(given.record, columns, given.system, given.existing, given.charset, given.delimiter, given.sheet)


IMPORT_MUTATIONS = {f"import_{wish.replace('-', '_')}": mutation(wish) for wish in Wish}
