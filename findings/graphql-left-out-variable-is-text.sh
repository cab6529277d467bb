#!/usr/bin/env bash
# A JSON argument written in the query, whose variable the client did not send: card: {name: "Олена", note: $note}.
#
# Most people expect: what typed inputs do: a field whose variable was not sent is left out; or None, as for a list's element.
# What happens: graphql-core puts its own Undefined into the dict, at any depth, and strawberry hands it to the resolver. It
#   equals None but `is None` says no; it is falsy; in an f-string or str() it is the word "Undefined". json.dumps refuses it.
# Why it matters: `if card["note"] is not None` lets it through, and contacts get a note, a name or an e-mail "Undefined". It
#   passes every test that sends all its variables, or sends the JSON as one variable, where it cannot happen.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check graphql-core==3.3.2 strawberry-graphql==0.341.2
"$dir/venv/bin/python" - <<'PY'
import json, sys
from importlib.metadata import version
import strawberry
from strawberry.scalars import JSON

kept = []

@strawberry.input
class Card:
    name: str
    note: str | None = strawberry.UNSET

@strawberry.type
class Query:
    @strawberry.field
    def loose(self, card: JSON) -> str:
        kept.append(card)
        return f"note: {card['note']}" if card["note"] is not None else "no note"

    @strawberry.field
    def typed(self, card: Card) -> str:
        return "no note" if card.note is strawberry.UNSET else f"note: {card.note}"

schema = strawberry.Schema(Query)

def ask(field, **variables):
    text = 'query ($note: String) { answer: %s(card: {name: "Олена", note: $note}) }' % field
    return schema.execute_sync(text, variable_values=variables).data["answer"]

print("graphql-core", version("graphql-core"), "and strawberry", version("strawberry-graphql"))
print("A variable left out becomes an object inside a JSON argument: it equals None, is not None, and reads Undefined.")
seen = {
    "JSON, left out": ask("loose"),
    "JSON, null": ask("loose", note=None),
    "typed input, left out": ask("typed"),
}
for way, answer in seen.items():
    print(f"  {way}: {answer}")
note = kept[0]["note"]
facts = note == None, note is None, bool(note)  # noqa: E711
try:
    dumped = json.dumps(kept[0])
except TypeError as refusal:
    dumped = str(refusal)
print("  equals None, is None, is true:", *facts, "| as JSON:", dumped)
same = (
    list(seen.values()) == ["note: Undefined", "no note", "no note"]
    and facts == (True, False, False)
    and "not JSON serializable" in dumped
)
sys.exit(0 if same else f"the behaviour has changed: {seen} {facts} {dumped}")
PY
