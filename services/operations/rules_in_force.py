"""Rules and stages in force: reads them as a file of rules, and sets those of a file, all or nothing."""

from collections.abc import Iterator, Mapping
from uuid import uuid4

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection

from crm.commands import Code, Command, Rejected
from crm.decisions.commands import COMMANDS
from crm.engine.run_command import carry_out
from crm.engine.workspaces import read_workspace
from crm.envelope import now
from crm.scalars import Id
from crm.shared import Meta
from crm.state import Workspace
from crm.state.entities import OUTCOMES
from crm.whatif import Rules
from services.operations import stage_rules


class Applied(Struct, frozen=True):
    """The workspace before and after, as decisions know it."""

    before: Workspace
    after: Workspace

    @property
    def changed(self) -> bool:
        return self.before != self.after


async def in_force(dsn: str, workspace: Id) -> Workspace:
    """Returns the workspace. Raises ValueError when there is none."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        return await require_workspace(conn, workspace)


async def apply(
    dsn: str, workspace: Id, rules: Rules, actor: str, expected_version: int | None = None, dry_run: bool = False
) -> Applied:
    """Sets what the file gives, in one transaction; with `dry_run` that is rolled back.

    Raises Rejected when a part of it is refused, and ValueError when there is no such workspace: nothing is set then.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn, conn.transaction(force_rollback=dry_run):
        before = await require_workspace(conn, workspace)
        for name, given in commands_of(rules, before, expected_version):
            try:
                await carry_out(conn, COMMANDS[name], command(name, workspace, actor, given))
            except Rejected as refusal:
                if refusal.code is not Code.UNCHANGED:
                    raise
        return Applied(before, await require_workspace(conn, workspace))


async def switch(dsn: str, workspace: Id, name: str, enabled: bool, actor: str) -> None:
    """Switches the stage rule of this name. Raises Rejected when it is so already, ValueError when there is none."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        id = stage_rules.id_of(await require_workspace(conn, workspace), name)
        given: dict[str, object] = {"stage_rule_id": id, "enabled": enabled}
        await carry_out(conn, COMMANDS["stage_rule_switch"], command("stage_rule_switch", workspace, actor, given))


def commands_of(
    rules: Rules, before: Workspace, expected_version: int | None
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yields the name and the input of each command, in order: a stage goes after the stage rules that name it, and
    comes before those that do. Stages keep their labels."""
    if rules.stage_rules is not None:
        stays = {rule.name.strip() for rule in rules.stage_rules}
        stages = (*(rules.stages or before.stages), *OUTCOMES)
        for id, rule in before.stage_rules.items():
            if rule.name not in stays or rule.stage not in stages:
                yield "stage_rule_remove", {"stage_rule_id": id}
    if rules.changes_pipeline:
        keyed = [{"key": key, "label": before.labels.get(key, "")} for key in rules.stages or before.stages]
        paid, part_paid = rules.paid_stage, rules.part_paid_stage
        yield "pipeline_change", {"stages": keyed, "paid_stage": paid, "part_paid_stage": part_paid}
    if rules.rules is not None:
        given = msgspec.to_builtins(rules.rules)
        yield "assignment_rules_set", {"rules": given, "expected_version": expected_version}
    for defined in rules.stage_rules or ():
        yield "stage_rule_define", {"rule": msgspec.to_builtins(defined)}


def command(name: str, workspace: Id, actor: str, given: Mapping[str, object]) -> Command:
    """Makes a command as the API does. Raises ValueError when a value has the wrong type."""
    id, at = Id(str(uuid4())), now()
    meta = Meta(id, workspace, stream=id, occurred_at=at, recorded_at=at, source="crm", cause=id, actor=actor)
    made: Command = msgspec.convert({"meta": msgspec.to_builtins(meta), **given}, COMMANDS[name].command)
    return made


async def require_workspace(conn: AsyncConnection, workspace: Id) -> Workspace:
    if (found := await read_workspace(conn, workspace)) is None:
        raise ValueError(f"There is no workspace {workspace}. Nothing was changed. `crm workspace list` lists them.")
    return found


def as_file(workspace: Workspace) -> Rules:
    """Returns what is in force, in the form of a file of rules."""
    acting = tuple(map(stage_rules.as_given, stage_rules.by_name(workspace)))
    return Rules(workspace.rules, workspace.stages, workspace.paid_stage, workspace.part_paid_stage, acting)


def difference(applied: Applied) -> list[str]:
    """Returns a line for each rule and setting that is new (+), gone (-) or changed (from → to)."""
    before, after = applied.before, applied.after
    lines = []
    if before.rules_version != after.rules_version:
        lines.append(f"Rules: version {before.rules_version} → {after.rules_version}, the first that fits decides.")
        was, names = {rule.name: rule for rule in before.rules}, {rule.name for rule in after.rules}
        lines += [f"- {rule.name}" for rule in before.rules if rule.name not in names]
        for rule in after.rules:
            sign = "+" if rule.name not in was else " " if was[rule.name] == rule else "~"
            lines.append(f"{sign} {rule.name}: {', '.join(rule.owners) or 'nobody'}")
    for what, old, new in (
        ("Stages", ", ".join(before.stages), ", ".join(after.stages)),
        ("Paid deals go to", before.paid_stage, after.paid_stage),
        ("Part-paid deals go to", before.part_paid_stage, after.part_paid_stage),
    ):
        if old != new:
            lines.append(f"{what}: {old} → {new}")
    return [*lines, *stage_rules.difference(before.stage_rules, after.stage_rules)]
