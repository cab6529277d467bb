"""whatIfStart and whatIfDrop: other rules are tried on a past period by the role imports. No event, no row."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import strawberry
from msgspec import Struct
from psycopg.sql import SQL, Identifier

from api.access import actor_of, require
from api.commands.answers import UserError, user_error
from api.commands.inputs import as_builtins, input_type
from api.context import Info
from api.errors import ApiError, Unavailable
from api.schema.fields import Argument, field
from api.schema.whatif import READ_ONLY, Stored, WhatIf, shown, trials
from crm.adapters.trial_store import TrialStore
from crm.commands import About, Code, Rejected
from crm.decisions.commands.assignment_rules_set import AssignmentRule
from crm.decisions.commands.stage_rule_define import StageRule
from crm.envelope import now
from crm.moments import Clock, micros
from crm.scalars import Id
from crm.whatif import MOST, Phase, Request, Rules, wrong_in

LONGEST = 200  # characters of a label
AT_WORK = (Phase.WAITING, Phase.RUNNING)
NO_STORE = "Nothing can be tried here: CRM_IMPORTS names no place for files. See docs/whatif.md."


class NoTrials(ApiError):
    """This server has no place for what is asked for."""

    code = "NOT_FOUND"


class WhatIfRules(Struct, frozen=True, kw_only=True):
    """Rules to try. What is left out stays as it was at the start of the period."""

    rules: Annotated[
        tuple[AssignmentRule, ...] | None,
        About(description="Assignment rules, all of them; the first that fits decides."),
    ] = None
    stages: Annotated[tuple[str, ...] | None, About(description="Keys of the stages, in order.")] = None
    paid_stage: Annotated[str | None, About(description="The stage of deals that are paid in full.")] = None
    part_paid_stage: Annotated[str | None, About(description="The stage of deals that are paid in part.")] = None
    stage_rules: Annotated[
        tuple[StageRule, ...] | None, About(description="Stage rules, in place of those that were in force then.")
    ] = None


@strawberry.type(description="Result of `whatIfStart`.")
class WhatIfStartPayload:
    what_if: WhatIf | None = strawberry.field(description="The trial; ask `whatIfs` until it is done.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing is tried.")


@strawberry.type(description="Result of `whatIfDrop`.")
class WhatIfDropPayload:
    dropped: bool = strawberry.field(description="Whether there was such a trial.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing is dropped.")


def store_of(info: Info) -> tuple[TrialStore, Id]:
    """Raises Forbidden, NoTrials and Unavailable."""
    token = info.context.token
    require(token, "write")
    if info.context.executor is None:
        raise Unavailable(READ_ONLY)
    if info.context.trials is None:
        raise NoTrials(NO_STORE)
    return info.context.trials, Id(token.workspace)


async def start(
    _: Any,
    info: Info,
    rules: Any,
    since: datetime,
    until: datetime | None = None,
    clock: Clock = Clock.RECORDED,
    label: str = "",
) -> dict[str, Any]:
    store, workspace = store_of(info)
    at = now()
    begin, end = micros(since), min(at, micros(until)) if until else at
    try:
        tried = rules_in(rules)
        if begin >= end:
            raise Rejected("since", Code.INVALID, "The period is empty: it ends before it begins. Nothing is tried.")
        if len(label) > LONGEST:
            raise Rejected("label", Code.INVALID, f"It is longer than {LONGEST} characters. Nothing is tried.")
        await require_room(store, workspace)
    except Rejected as refusal:
        return {"what_if": None, "user_errors": [user_error(refusal)]}
    actor = actor_of(info.context.token)
    name = label.strip() or "rules"
    request = Request(Id(str(uuid4())), workspace, name, begin, end, clock, tried, actor, at)
    await store.ask(request)
    stored = Stored("", request.label, request, await store.status(workspace, request.id))
    return {"what_if": await shown(info.context, stored), "user_errors": []}


def rules_in(given: Any) -> Rules:
    """Raises Rejected."""
    try:
        rules = msgspec.convert(as_builtins(given, WhatIfRules), Rules)
    except msgspec.ValidationError as error:
        raise Rejected("rules", Code.INVALID, f"{error}. Nothing is tried.") from None
    if rules == Rules():
        why = "They change nothing: give `rules`, `stages` or `stageRules`. Nothing is tried."
        raise Rejected("rules", Code.REQUIRED, why)
    if wrong := wrong_in(rules):
        raise Rejected("rules", Code.INVALID, f"{wrong} Nothing is tried.")
    return rules


async def require_room(store: TrialStore, workspace: Id) -> None:
    """Raises Rejected while another trial of the workspace is at work, or when there are as many as are kept."""
    there = await store.of(workspace)
    if len(there) >= MOST:
        why = f"{MOST} trials are kept. Nothing is tried: drop one that is no longer needed."
        raise Rejected("", Code.INVALID, why)
    for request in there:
        if (await store.status(workspace, request.id)).phase in AT_WORK:
            why = f"“{request.label}” is being tried. Nothing else is tried meanwhile: wait for it, or drop it."
            raise Rejected("", Code.INVALID, why)


async def drop(_: Any, info: Info, name: str) -> dict[str, Any]:
    store, workspace = store_of(info)
    executor = info.context.executor
    known = await trials(info.context, workspace, name)
    # One of an earlier release does not say whose it is: its deals do.
    found = [one for one in known if one.request or (await shown(info.context, one)).deals]
    for one in found:
        if one.request:
            await store.forget(workspace, one.request.id)
        if one.schema and executor:
            async with executor.connection("what_if_drop") as conn:
                await conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(one.schema)))
    return {"dropped": bool(found), "user_errors": []}


WHAT_IF_MUTATIONS = {
    "what_if_start": field(
        WhatIfStartPayload,
        {
            "rules": Argument(input_type(WhatIfRules), about="What to try."),
            "since": Argument(datetime, about="Start of the period."),
            "until": Argument(datetime | None, None, "End of the period; null: now."),
            "clock": Argument(Clock, Clock.RECORDED, "When data was recorded, or when it happened outside."),
            "label": Argument(str, "", "What to call it, for people."),
        },
        start,
        "Begins to decide a past period again by other rules. Nothing live is changed; `whatIfs` has what it finds. "
        "One at a time in a workspace. Needs the scope `write`.",
    ),
    "what_if_drop": field(
        WhatIfDropPayload,
        {"name": Argument(str, about="Name of the trial.")},
        drop,
        "Drops a trial with its tables; one that is at work is stopped. Needs the scope `write`.",
    ),
}
