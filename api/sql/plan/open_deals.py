"""The open deals of a contact, and who has the latest of them."""

from collections.abc import Callable

from api.schema.filters import SAME_CONTACT
from api.schema.lists import LISTS
from api.sql.plan.rows import survivor
from api.sql.plan.statement import WORKSPACE, Rule, Site
from api.sql.statements import OPEN_DEAL

OPEN_DEALS = 20
ORDER = LISTS["deals"].orders["TOUCHED_AT_DESC"]


def open_deals(contact: str) -> Rule:
    """Those of the card that a contact became, at most twenty. `contact`: the column with its key."""

    def rule(site: Site) -> str:
        def built(row: str) -> str:
            return f"coalesce(json_agg({site.object(row)} ORDER BY {ORDER.by(row)}), '[]')"

        return worked_on(site, contact, built)

    return rule


def owner(contact: str) -> Rule:
    """Who has the latest of them."""

    def built(row: str) -> str:
        return f"(array_agg({row}.owner ORDER BY {ORDER.by(row)}) FILTER (WHERE {row}.owner <> ''))[1]"

    return lambda site: worked_on(site, contact, built)


def worked_on(site: Site, contact: str, built: Callable[[str], str]) -> str:
    row = site.writer.row()
    card = f"coalesce((SELECT u.contact_id FROM ({survivor(f'{site.row}.{contact}')}) AS u), {site.row}.{contact})"
    same = SAME_CONTACT.format(value="s.id", workspace=WORKSPACE)
    # Each OFFSET 0 keeps a step by itself: first the card, then by its id all of its deals, then the latest of these.
    # Without, the planner looks through every deal of the workspace in their order until twenty are of this card.
    deals = (
        f"SELECT d.* FROM (SELECT {card} AS id OFFSET 0) AS s, LATERAL (SELECT t.* FROM read.deal AS t "
        f"WHERE t.workspace = {WORKSPACE} AND t.contact_id = ANY ({same}) AND {OPEN_DEAL.format(t='t')} OFFSET 0) AS d "
        f"ORDER BY {ORDER.by('d')} LIMIT {OPEN_DEALS}"
    )
    return f"(SELECT {built(row)} FROM ({deals}) AS {row})"
