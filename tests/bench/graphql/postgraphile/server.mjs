// PostGraphile over the schema `rival`, in production mode: its own preset, node's HTTP server, prepared statements.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const service = makePgService({
  connectionString: process.env.DATABASE_URL,
  schemas: ["rival"],
  poolConfig: { max: Number(process.env.POOL) },
});
const instance = postgraphile({
  extends: [PostGraphileAmberPreset, ...(process.env.FILTERS ? [PostGraphileConnectionFilterPreset] : [])],
  pgServices: [service],
  grafserv: { graphiql: false, websockets: false, watch: false },
  grafast: { explain: false },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
