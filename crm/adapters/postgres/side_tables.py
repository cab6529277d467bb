"""The kinds of tables that stand next to a projection's rows."""

from crm.adapters.postgres.field_values import VALUES
from crm.adapters.postgres.totals import TOTALS

SIDE_TABLES = TOTALS, VALUES
