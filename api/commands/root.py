"""The type Mutation: every command as a field, `batch` for many at once, and those without an event of their own."""

import strawberry

from api.commands.batch import BATCH
from api.commands.connection_authorize import CONNECTION_AUTHORIZE
from api.commands.connection_check import CONNECTION_CHECK
from api.commands.exports import EXPORT_START
from api.commands.imports import IMPORT_MUTATIONS
from api.commands.mutations import mutation
from api.commands.quarantine import QUARANTINE_DISCARD, QUARANTINE_REPARSE
from api.commands.quarantine_many import QUARANTINE_REPARSE_MANY
from api.commands.whatif import WHAT_IF_MUTATIONS
from api.commands.workspace_create import WORKSPACE_CREATE
from crm.decisions.commands import COMMANDS

MUTATION = strawberry.type(
    type(
        "Mutation",
        (),
        {name: mutation(declared) for name, declared in COMMANDS.items()}
        | {
            "batch": BATCH,
            "connection_authorize": CONNECTION_AUTHORIZE,
            "connection_check": CONNECTION_CHECK,
            "quarantine_discard": QUARANTINE_DISCARD,
            "quarantine_reparse": QUARANTINE_REPARSE,
            "quarantine_reparse_many": QUARANTINE_REPARSE_MANY,
            "workspace_create": WORKSPACE_CREATE,
            **IMPORT_MUTATIONS,
            "export_start": EXPORT_START,
            **WHAT_IF_MUTATIONS,
        },
    ),
    name="Mutation",
    description="All commands. A refused command changes nothing and says why in `userErrors`.",
)
