"""The condition of an open deal in SQL."""

from crm.state.entities import OUTCOMES

# The same as crm.state.entities.Deal.open: there is still work or a payment to come. `t`: the alias of the table.
OPEN_DEAL = (
    f"{{t}}.stage <> ALL (ARRAY{list(OUTCOMES)}) "
    "AND NOT ({t}.amount_minor > 0 AND {t}.paid_minor >= {t}.amount_minor)"
)
