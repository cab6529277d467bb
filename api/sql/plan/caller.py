"""The field `caller` in one statement: the normalized number, its contact and the open deals."""

from typing import Any

from graphql.execution.values import VariableValues

from api.sql.plan.open_deals import open_deals, owner
from api.sql.plan.rows import surviving_contact
from api.sql.plan.statement import WORKSPACE, NotPlannable, Rule, Site, WorkspaceParameter
from api.sql.reads import COUNTRIES
from crm.phones import read_phone

# `<> '{}'` is the condition of the partial index; OFFSET 0 keeps Postgres from repeating the look-up for each field.
FOUND = """SELECT {phone}::text AS phone, (
  SELECT c.contact_id FROM read.contact AS c
  WHERE c.workspace = {workspace} AND c.phones @> ARRAY[{phone}::text] AND c.phones <> '{{}}'
  ORDER BY c.merged_into IS NULL DESC, c.touched_at DESC, c.contact_id LIMIT 1) AS contact_id OFFSET 0"""
PARTS: dict[str, str | Rule] = {
    "contact": surviving_contact("contact_id"),
    "openDeals": open_deals("contact_id"),
    "owner": owner("contact_id"),
    "answering": lambda site: (
        f"(SELECT {site.object(row := site.writer.row())} FROM read.owner AS {row} "
        f"WHERE {row}.workspace = {WORKSPACE} AND {row}.key = {owner('contact_id')(site)} LIMIT 1)"
    ),
}


def caller(site: Site) -> str:
    """Writes the field. Raises NotPlannable while the workspace's country is unknown; its resolver learns it."""
    phone = site.argument("phone")

    def e164(workspace: str, variables: VariableValues) -> str:
        if (country := COUNTRIES.get(workspace)) is None:
            raise NotPlannable("a workspace whose country is unknown")
        given: Any = phone(variables)
        return read_phone(given, country).e164

    row, value = site.writer.row(), site.writer.parameter(WorkspaceParameter(e164))
    found = FOUND.format(phone=value, workspace=WORKSPACE)
    return f"(SELECT {site.object(row, {**PARTS, 'phone': f'{row}.phone'})} FROM ({found}) AS {row})"
