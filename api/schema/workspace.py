"""What a client asks about its token and its workspace: `me`, `pipeline` and `assignmentRules`."""

from datetime import datetime
from typing import Any

import strawberry

from api.context import Info
from api.schema.fields import field
from api.schema.nodes import TYPES
from api.schema.scalars import Long
from api.sql.plan import rows, workspace
from crm.decisions.workspace import EPOCH
from projections import PROJECTIONS


@strawberry.type(description="A stage of the pipeline.")
class Stage:
    key: str = strawberry.field(description="What deals have as `stage`. It never changes.")
    label: str = strawberry.field(description="Display name.")
    open: bool = strawberry.field(description="Deals in it still need work: it is not the stage of paid deals.")
    position: int = strawberry.field(description="Place in the pipeline, from 0.")


@strawberry.type(description="The workspace of a token, with its settings.")
class Workspace:
    id: strawberry.ID = strawberry.field(description="Unique id; Kafka clients send it with each fact.")
    name: str = strawberry.field(description="Display name.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code, of phone numbers without a country code.")
    currency: str = strawberry.field(description="ISO 4217 code, of amounts that name no currency.")
    timezone: str = strawberry.field(description="IANA name of the time zone, such as Europe/Kyiv.")


@strawberry.type(description="The caller, as its access token says.")
class Me:
    id: strawberry.ID = strawberry.field(description="Id of the access token.")
    name: str = strawberry.field(description="Who or what uses the token.")
    scopes: list[str] = strawberry.field(description="What the token permits, in alphabetical order.")
    expires_at: datetime | None = strawberry.field(description="When the token stops working; null: never.")
    workspace: Workspace | None = strawberry.field(
        description="The workspace that the token belongs to; null until its first event is in the read models."
    )
    intake_url: str = strawberry.field(
        description="Address of intake, to which deliveries and facts are sent; empty where it is not known."
    )


@strawberry.type(description="The pipeline of the workspace, its stages as objects, and the workspace's settings.")
class WorkspacePipeline:
    id: strawberry.ID = strawberry.field(description="Unique id, as of type Pipeline.")
    name: str = strawberry.field(description="Display name of the workspace.")
    stages: list[Stage] = strawberry.field(description="Stages in order. Deals end in `won` or `lost` besides.")
    paid_stage: str = strawberry.field(description="Stage to which a deal moves when it is paid in full.")
    part_paid_stage: str = strawberry.field(description="Stage to which a deal moves when a part is paid.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code, of phone numbers without a country code.")
    currency: str = strawberry.field(description="ISO 4217 code, of amounts that name no currency.")
    timezone: str = strawberry.field(description="IANA name of the time zone, such as Europe/Kyiv.")
    version: Long = strawberry.field(description="Version; send it as `expectedVersion` to detect concurrent changes.")


async def pipeline(_: Any, info: Info) -> dict[str, Any] | None:
    row = await info.context.reads.only("pipeline")
    return None if row is None else {**row, "stages": stages_of(row)}


def stages_of(row: dict[str, Any]) -> list[Stage]:
    labels, paid = row["labels"], row["paid_stage"]
    return [Stage(key=s, label=labels.get(s, s), open=s != paid, position=n) for n, s in enumerate(row["stages"])]


async def me(_: Any, info: Info) -> Me:
    token = info.context.token
    row = await info.context.reads.only("pipeline")
    ends = getattr(token, "expires_at", None)
    return Me(
        id=strawberry.ID(token.id),
        name=getattr(token, "name", ""),
        scopes=sorted(token.scopes),
        intake_url=info.context.intake_url,
        expires_at=None if ends is None else datetime.fromtimestamp(ends / 1_000_000, EPOCH.tzinfo),
        workspace=None
        if row is None
        else Workspace(
            id=strawberry.ID(token.workspace),
            name=row["name"],
            country=row["country"],
            currency=row["currency"],
            timezone=row["timezone"],
        ),
    )


async def assignment_rules(_: Any, info: Info) -> Any:
    return await info.context.reads.only("assignment_rules")


QUERIES = {
    "me": field(Me, {}, me, "The caller: its token, its scopes and its workspace."),
    "pipeline": field(
        WorkspacePipeline | None,
        {},
        pipeline,
        "The pipeline of the workspace; null until its first event is in the read models.",
        workspace.pipeline,
    ),
    "assignment_rules": field(
        TYPES["AssignmentRules"] | None,
        {},
        assignment_rules,
        "The assignment rules that are in force; null when none were ever set.",
        rows.only(PROJECTIONS["assignment_rules"]),
    ),
}
