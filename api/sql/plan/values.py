"""Rules for columns as JSON, equal to what their scalars serialize to."""

from api.sql.plan.statement import Rule, Site
from crm.money import DECIMALS
from crm.projection import Column

FIRST, LAST = "timestamptz '0001-01-01 00:00:00+00'", "timestamptz '9999-12-31 23:59:59.999999+00'"

MINOR = Column("minor", "bigint", True)


def column(column: Column) -> Rule:
    """Returns the rule for a column as it is. Times that Python cannot represent become the nearest one."""

    def rule(site: Site) -> str:
        value = f"{site.row}.{column.name}"
        if column.type != "timestamptz":
            return value
        clamped = f"least(greatest({value}, {FIRST}), {LAST})"
        return clamped if column.required else f"CASE WHEN {value} IS NOT NULL THEN {clamped} END"

    return rule


def money(column: Column) -> Rule:
    """Returns the rule for an amount in the currency of its row."""

    def rule(site: Site) -> str:
        minor, currency = f"{site.row}.{column.name}", f"{site.row}.currency"
        parts = {"minor": minor, "currency": currency, "text": money_text(minor, currency)}
        value = site.object(site.row, parts)
        return value if column.required else f"CASE WHEN {minor} IS NOT NULL THEN {value} END"

    return rule


def money_text(minor: str, currency: str) -> str:
    """Returns SQL for the text of an amount, equal to api.schema.scalars.formatted_money."""
    return f"btrim(({minor} * {factor(currency)})::text || ' ' || {currency})"


def factor(currency: str) -> str:
    """Returns SQL for the smallest unit of a currency in its main unit, such as 0.01.

    A numeric keeps as many decimals as its factors have.
    """
    by_decimals: dict[int, list[str]] = {}
    for code, decimals in sorted(DECIMALS.items()):
        by_decimals.setdefault(decimals, []).append(code)
    factors = " ".join(
        f"WHEN {currency} = ANY ('{{{','.join(codes)}}}') THEN {'0.' + '1'.zfill(decimals) if decimals else '1.'}"
        for decimals, codes in sorted(by_decimals.items(), key=lambda known: -len(known[1]))
    )
    return f"CASE {factors} ELSE 1. END"


def shares(column: Column) -> Rule:
    """Returns the rule for the shares of a payment, which are JSON text; the currency is that of the row."""

    def rule(site: Site) -> str:
        share = site.writer.row()
        columns = (
            "(u.share::json ->> 'deal_id')::uuid AS deal_id, (u.share::json ->> 'share_minor')::bigint AS minor, "
            f"{site.row}.currency, u.n"
        )
        unnested = f"SELECT {columns} FROM unnest({site.row}.{column.name}) WITH ORDINALITY AS u(share, n)"
        parts: dict[str, str | Rule] = {"dealId": f"{share}.deal_id", "amount": money(MINOR)}
        shown = f"coalesce(json_agg({site.object(share, parts)} ORDER BY {share}.n), '[]')"
        return f"(SELECT {shown} FROM ({unnested}) AS {share})"

    return rule


def files(column: Column) -> Rule:
    """Returns the rule for files, which are JSON text of structs that may gain fields but never omit any."""

    def rule(site: Site) -> str:
        file = site.writer.row()
        parts = {
            "kind": f"{file}.file ->> 'kind'",
            "name": f"coalesce({file}.file ->> 'name', '')",
            "mediaType": f"coalesce({file}.file ->> 'media_type', '')",
            "size": f"coalesce(({file}.file ->> 'size')::bigint, 0)",
            "ref": f"coalesce({file}.file ->> 'ref', '')",
        }
        unnested = f"SELECT u.file::json, u.n FROM unnest({site.row}.{column.name}) WITH ORDINALITY AS u(file, n)"
        shown = f"coalesce(json_agg({site.object(file, parts)} ORDER BY {file}.n), '[]')"
        return f"(SELECT {shown} FROM ({unnested}) AS {file})"

    return rule
