"""Rules for the stages of a pipeline and for assignment rules, which rows keep as lists."""

from api.sql.plan.statement import WORKSPACE, Rule, Site
from crm.projection import Column

RULE = {
    "name": "{rule} ->> 'name'",
    "owners": "{rule} -> 'owners'",
    "source": "coalesce({rule} ->> 'source', '')",
    "field": "coalesce({rule} ->> 'field', '')",
    "value": "coalesce({rule} ->> 'value', '')",
    "fromHour": "coalesce(({rule} ->> 'from_hour')::int, 0)",
    "toHour": "coalesce(({rule} ->> 'to_hour')::int, 24)",
    "pick": "coalesce({rule} ->> 'pick', 'round_robin')",
}


COLUMNS = {  # of the pipeline
    "id": "pipeline_id",
    "name": "name",
    "paidStage": "paid_stage",
    "partPaidStage": "part_paid_stage",
    "country": "country",
    "currency": "currency",
    "timezone": "timezone",
    "version": "version",
}


def pipeline(site: Site) -> str:
    """Writes the pipeline of the workspace, with its stages as objects."""
    row = site.writer.row()
    columns = {name: f"{row}.{column}" for name, column in COLUMNS.items()}
    shown = site.object(row, {**columns, "stages": stages})
    return f"(SELECT {shown} FROM read.pipeline AS {row} WHERE {row}.workspace = {WORKSPACE} LIMIT 1)"


def stages(site: Site) -> str:
    """Writes the stages of a row of the pipeline, in order."""
    stage = site.writer.row()
    parts: dict[str, str | Rule] = {
        "key": f"{stage}.key",
        "label": f"coalesce({site.row}.labels ->> {stage}.key, {stage}.key)",
        "open": f"{stage}.key <> {site.row}.paid_stage",
        "position": f"({stage}.n - 1)::int",
    }
    shown = f"coalesce(json_agg({site.object(stage, parts)} ORDER BY {stage}.n), '[]')"
    return f"(SELECT {shown} FROM unnest({site.row}.stages) WITH ORDINALITY AS {stage}(key, n))"


def assignment_rules(column: Column) -> Rule:
    """Returns the rule for a column of assignment rules, which are JSON text."""

    def rule(site: Site) -> str:
        row = site.writer.row()
        parts: dict[str, str | Rule] = {name: text.format(rule=f"{row}.rule") for name, text in RULE.items()}
        unnested = f"SELECT u.rule::json, u.n FROM unnest({site.row}.{column.name}) WITH ORDINALITY AS u(rule, n)"
        shown = f"coalesce(json_agg({site.object(row, parts)} ORDER BY {row}.n), '[]')"
        return f"(SELECT {shown} FROM ({unnested}) AS {row})"

    return rule
