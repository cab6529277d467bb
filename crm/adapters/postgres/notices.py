"""The notices by which subscribers learn of changed rows: their channel, and how many keys one holds."""

NOTIFY = "SELECT pg_notify('changes', m) FROM json_array_elements_text(%s) AS m"
KEYS = 150  # a notice; Postgres takes 8,000 bytes
