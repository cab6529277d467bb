"""What `search` looks through, in Postgres: a key column or a word index on a table, and a function over each.

The functions run as their owner. pg_trgm's and the word index's operators are not leakproof: under row-level security
they would be asked only about rows that the policy has let through, so their indexes would never be used. Each function
takes the workspace, names it in its statement, and finds nothing when the session shows another one; what it gives are
keys and ranks, and no row.
"""

from typing import Any

import psycopg

from crm.adapters.postgres import views
from crm.adapters.postgres.reader_role import ROLE, SETTING
from crm.errors import Broken
from crm.projection import Projection
from crm.text import phonetics as spelling
from crm.text.phonetics import COLUMN

KEY = f"find.key_{spelling.VERSION}"
CANDIDATES = 300  # of more that match, the latest so many are ranked
MATCHES = 5_000  # of more long texts that match, only so many are looked at
LIKENESS = 0.5  # of a word and the best part of a text, 0 to 1, from which one is taken for the other
SHORTEST = 4  # letters of a word that may be misspelt
WORDS = f"to_tsvector('simple'::regconfig, {COLUMN})"

SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS find;
GRANT USAGE ON SCHEMA find TO {ROLE};
COMMENT ON SCHEMA find IS 'What search is made of. Functions give keys of one workspace, never rows.';
CREATE OR REPLACE FUNCTION {KEY}(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT {spelling.as_sql("$1")} $$;
COMMENT ON FUNCTION {KEY}(text) IS 'How a text sounds: crm.text.phonetics.key.';
CREATE OR REPLACE FUNCTION find.joined(text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT array_to_string($1, ' ') $$;
"""
EXTENSIONS = {"pg_trgm": "looks for misspelt names", "btree_gin": "keeps workspaces apart in an index"}

SHORT = """
CREATE OR REPLACE FUNCTION find.{name}(workspace uuid, patterns text[], words text[], wanted int)
  RETURNS TABLE (id uuid, exact boolean, rank real, at timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, {trgm} SET pg_trgm.word_similarity_threshold = {likeness} AS $function$
DECLARE
  every text := '';
  alike text := '';
  loose boolean := false;
  found bigint;
  chosen constant text := 'SELECT c.key, $5, (SELECT avg(word_similarity(w, c.text))::real FROM unnest($3) AS w) AS'
    ' rank, c.at FROM (SELECT t.{key} AS key, t.{column} AS text, t.{at} AS at FROM read.{name} AS t'
    ' WHERE t.workspace = $1';
  best constant text := ' ORDER BY t.{at} DESC LIMIT {candidates}) AS c ORDER BY rank DESC, c.at DESC LIMIT $4';
BEGIN
  IF workspace IS DISTINCT FROM nullif(current_setting('{setting}', true), '')::uuid THEN
    RETURN;
  END IF;
  FOR n IN 1 .. cardinality(patterns) LOOP
    every := every || format(' AND t.{column} LIKE ($2)[%s]', n);
    IF length(words[n]) >= {shortest} AND words[n] ~ '^\\D+$' THEN
      alike := alike || format(' AND t.{column} %%> ($3)[%s]', n);
      loose := true;
    ELSE
      alike := alike || format(' AND t.{column} LIKE ($2)[%s]', n);
    END IF;
  END LOOP;
  RETURN QUERY EXECUTE chosen || every || best USING workspace, patterns, words, wanted, true;
  GET DIAGNOSTICS found = ROW_COUNT;
  IF loose AND found < wanted THEN
    RETURN QUERY EXECUTE chosen || alike || ' AND NOT (' || substr(every, 5) || ')' || best
      USING workspace, patterns, words, wanted - found::int, false;
  END IF;
END $function$;
"""
LONG = """
CREATE OR REPLACE FUNCTION find.{name}(workspace uuid, query text, wanted int)
  RETURNS TABLE (id uuid, exact boolean, rank real, at timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan
  AS $function$
BEGIN
  IF workspace IS DISTINCT FROM nullif(current_setting('{setting}', true), '')::uuid THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT c.key, true, ts_rank(c.words, to_tsquery('simple', query), 32), c.at FROM (
      SELECT t.{key} AS key, {words} AS words, t.{at} AS at FROM read.{name} AS t
      WHERE t.workspace = $1 AND {words} @@ to_tsquery('simple', query) LIMIT {matches}
    ) AS c ORDER BY c.at DESC LIMIT wanted;
END $function$;
"""


def install(conn: psycopg.Connection[Any]) -> str:
    """Makes the schema `find` and gives the schema that pg_trgm is in. Raises Broken when an extension is not there."""
    conn.execute("CREATE SCHEMA IF NOT EXISTS find")
    for name, use in EXTENSIONS.items():
        there = conn.execute("SELECT FROM pg_extension WHERE extname = %s", [name]).fetchone()
        if there is None:
            try:
                conn.execute(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA find".encode())
            except psycopg.Error as error:
                raise Broken(
                    f"Postgres cannot make its extension {name}, which {use}: {str(error).strip()} "
                    "Nothing was changed. It is in the contrib package of Postgres; an administrator can run "
                    f"`CREATE EXTENSION {name}` in this database."
                ) from error
    conn.execute(SCHEMA.encode())
    (trgm,) = conn.execute(
        "SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'pg_trgm'"
    ).fetchone() or ("find",)
    return str(trgm)


def make_searchable(conn: psycopg.Connection[Any], projection: Projection[Any], trgm: str) -> None:
    """Column, index and function of one projection. Rows that were there before are filled in: some 50 µs each."""
    if not projection.searched:
        return
    there = "SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped"
    if conn.execute(there, [f"read.{projection.table}", COLUMN]).fetchone() is None:
        conn.execute(f"ALTER TABLE read.{projection.table} ADD COLUMN {COLUMN} text".encode())
        conn.execute(fill(projection).encode())
        if views.served(conn, projection.name) == (at := views.Served("read", projection.table)):
            views.show(conn, projection.name, at)
    if conn.execute("SELECT to_regclass(%s)", [f"read.{index_name(projection)}"]).fetchone() == (None,):
        conn.execute(index(projection, trgm).encode())  # which would wait for writers even if it is there
    conn.execute(function(projection, trgm).encode())


def fill(projection: Projection[Any]) -> str:
    """Fills the search column of rows that have none yet."""
    types = {c.name: c.type for c in projection.columns}
    texts = [f"find.joined({name})" if types[name] == "text[]" else name for name in projection.searched]
    joined = " || ' ' || ".join(f"coalesce({text}, '')" for text in texts)
    return f"UPDATE read.{projection.table} SET {COLUMN} = ' ' || {KEY}({joined}) WHERE {COLUMN} IS NULL"


def index(projection: Projection[Any], trgm: str) -> str:
    """By trigrams for parts and misspellings, by words for long texts; both within the workspace."""
    by = f"{COLUMN} {trgm}.gin_trgm_ops" if projection.found_by else WORDS
    return f"CREATE INDEX IF NOT EXISTS {index_name(projection)} ON read.{projection.table} USING gin (workspace, {by})"


def index_name(projection: Projection[Any]) -> str:
    return f"{projection.table}_{COLUMN}"


def function(projection: Projection[Any], trgm: str) -> str:
    parameters = {
        "name": projection.name,
        "key": projection.key,
        "column": COLUMN,
        "at": latest(projection),
        "trgm": trgm,
        "likeness": LIKENESS,
        "candidates": CANDIDATES,
        "shortest": SHORTEST,
        "matches": MATCHES,
        "words": WORDS,
        "setting": SETTING,
    }
    return (SHORT if projection.found_by else LONG).format(**parameters)


def latest(projection: Projection[Any]) -> str:
    """The time that its lists are ordered by."""
    times = {c.name for c in projection.columns if c.type == "timestamptz"}
    return next(name for names in projection.indexes for name in names.split(", ") if name in times)
