"""Which names a column may have: those that SQL takes unquoted, here and in every tool that reads our tables."""

import re

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
OURS = {"workspace": "every table has one already"}
# https://www.postgresql.org/docs/18/sql-keywords-appendix.html: reserved, and those of system columns.
WORDS = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
column concurrently constraint create cross current_catalog current_date current_role current_schema
current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for
foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral
leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps
placing primary references returning right select session_user similar some symmetric system_user table
tablesample then to trailing true union unique user using variadic verbose when where window with ctid tableoid
xmin xmax cmin cmax
"""
RESERVED = frozenset(WORDS.split())


def check(name: str) -> None:
    """Raises ValueError with why it cannot be the name of a column."""
    if name in RESERVED:
        why = "it is a word of SQL"
    elif name in OURS:
        why = OURS[name]
    elif not NAME.fullmatch(name):
        why = "it takes small Latin letters, digits and _, a letter first, at most 63"
    else:
        return
    raise ValueError(f"No column can be named {name!r}: {why}. Rename the field.")
