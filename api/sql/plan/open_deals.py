"""The open deals of a contact, and the owner of the last changed one."""

from collections.abc import Callable

from api.schema.filters import SAME_CONTACT
from api.schema.lists import LISTS
from api.sql.plan.rows import merged_contact
from api.sql.plan.statement import WORKSPACE, Rule, Site
from api.sql.statements import OPEN_DEAL

OPEN_DEALS = 20
ORDER = LISTS["deals"].orders["TOUCHED_AT_DESC"]


def open_deals(contact: str) -> Rule:
    """Returns the rule for the open deals of a contact, or of the one it was merged into, at most 20.

    `contact`: the column with its key.
    """

    def rule(site: Site) -> str:
        def built(row: str) -> str:
            return f"coalesce(json_agg({site.object(row)} ORDER BY {ORDER.by(row)}), '[]')"

        return open_deals_of(site, contact, built)

    return rule


def owner(contact: str) -> Rule:
    """Returns the rule for the owner of the last changed of them."""

    def built(row: str) -> str:
        return f"(array_agg({row}.owner ORDER BY {ORDER.by(row)}) FILTER (WHERE {row}.owner <> ''))[1]"

    return lambda site: open_deals_of(site, contact, built)


def open_deals_of(site: Site, contact: str, built: Callable[[str], str]) -> str:
    row = site.writer.row()
    contact_id = (
        f"coalesce((SELECT u.contact_id FROM ({merged_contact(f'{site.row}.{contact}')}) AS u), {site.row}.{contact})"
    )
    same = SAME_CONTACT.format(value="s.id", workspace=WORKSPACE)
    # Each OFFSET 0 keeps a step separate: first the contact, then all of its deals by its id, then the latest of these.
    # Without it the planner scans every deal of the workspace in order until twenty belong to this contact.
    deals = (
        f"SELECT d.* FROM (SELECT {contact_id} AS id OFFSET 0) AS s, LATERAL (SELECT t.* FROM read.deal AS t "
        f"WHERE t.workspace = {WORKSPACE} AND t.contact_id = ANY ({same}) AND {OPEN_DEAL.format(t='t')} OFFSET 0) AS d "
        f"ORDER BY {ORDER.by('d')} LIMIT {OPEN_DEALS}"
    )
    return f"(SELECT {built(row)} FROM ({deals}) AS {row})"
