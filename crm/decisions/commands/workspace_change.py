"""workspaceChange: another name, currency, country or time zone."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.workspace import workspace_of
from crm.decisions.workspace_settings import Settings, WrongSetting, read_settings
from crm.envelope import Event
from crm.events import WorkspaceChanged
from crm.scalars import Id


class WorkspaceChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes the settings of the workspace, for what comes from now on. What is not given stays as it is. Amounts
    keep their currency and phone numbers stay as they were read."""

    workspace_id: Annotated[
        Id | None,
        About(description="Which workspace, for a token of the installation; all others change their own."),
    ] = None
    expected_version: ExpectedVersion = None
    name: Annotated[Short | None, About(description="Display name.")] = None
    country: Annotated[
        Short | None, About(description="ISO 3166 code: how new phone numbers without a country code are read.")
    ] = None
    currency: Annotated[Short | None, About(description="ISO 4217 code, of new amounts that name none.")] = None
    timezone: Annotated[
        Short | None, About(description="IANA name, such as Europe/Kyiv: whose hours count in assignment rules.")
    ] = None


@command(row="pipeline", scope="admin", declares=True)
def workspace_change(command: WorkspaceChange, case: Case) -> Iterator[Event]:
    workspace = workspace_of(case)
    require_version(workspace, command.expected_version)
    was = Settings(workspace.name, workspace.country, workspace.currency, workspace.timezone)
    given = {name: value for name in Settings._fields if (value := getattr(command, name)) is not None}
    try:
        wanted = read_settings(**{**was._asdict(), **given})
    except WrongSetting as wrong:
        raise Rejected(wrong.field, Code.INVALID, f"It {wrong.message} Nothing was changed.") from None
    if wanted != was:
        why = ", ".join(f"{name}: {new}" for name, new in wanted._asdict().items() if new != getattr(was, name))
        yield WorkspaceChanged(case.meta(case.fact.meta.workspace), workspace.pipeline_id, *wanted, why)
