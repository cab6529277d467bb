// `node story.mjs DSN FACTS BATCH < lines`: facts decided and projected with Emmett; a line is a fact as JSON.
//
// A form and a new chat make a contact and a deal, a payment pays its deal, a call and a chat have streams of their
// own; rows are lean, and written in the transaction of their events. BATCH 1: as its documents teach, a command for
// each stream that a fact touches, and an inline projection. Otherwise by hand: one transaction for so many facts, in
// which each stream is read and appended to once, and all rows are written by one query.
import { readFileSync } from "node:fs";
import { CommandHandler, STREAM_DOES_NOT_EXIST } from "@event-driven-io/emmett";
import { SQL, dumbo, rawSql } from "@event-driven-io/dumbo";
import {
  appendToStream,
  getPostgreSQLEventStore,
  postgreSQLRawSQLProjection,
  readStream,
} from "@event-driven-io/emmett-postgresql";
import pg from "pg";

const [, , dsn, , size] = process.argv;
const batch = Number(size);
const pool = new pg.Pool({ connectionString: dsn, max: 16 });
await pool.query(`
  CREATE TABLE story_contact (id text PRIMARY KEY, phone text, name text);
  CREATE TABLE story_deal (id text PRIMARY KEY, contact_id text, reference text, amount bigint,
    paid bigint NOT NULL DEFAULT 0, stage text NOT NULL DEFAULT 'new');
  CREATE TABLE story_call (id text PRIMARY KEY, phone text, phase text);
  CREATE TABLE story_message (chat_id text, number bigint, text text, PRIMARY KEY (chat_id, number))`);

const WRITE = {
  Registered: ({ id, phone, name }) => SQL`INSERT INTO story_contact VALUES (${id}, ${phone}, ${name})`,
  Opened: ({ id, contact, reference, amount }) =>
    SQL`INSERT INTO story_deal (id, contact_id, reference, amount) VALUES (${id}, ${contact}, ${reference}, ${amount})`,
  Paid: ({ id, amount }) => SQL`UPDATE story_deal SET paid = paid + ${amount}, stage = 'paid' WHERE id = ${id}`,
  Began: ({ id, phone, phase }) => SQL`INSERT INTO story_call VALUES (${id}, ${phone}, ${phase})`,
  Moved: ({ id, phase }) => SQL`UPDATE story_call SET phase = ${phase} WHERE id = ${id}`,
  Received: ({ id, number, text }) => SQL`INSERT INTO story_message VALUES (${id}, ${number}, ${text})`,
};
const written = ({ type, data }) => WRITE[type](data);
const projection = postgreSQLRawSQLProjection({ name: "rows", canHandle: Object.keys(WRITE), evolve: written });
const store = getPostgreSQLEventStore(dsn, {
  projections: [{ type: "inline", projection }],
  connectionOptions: { pool },
});
await store.schema.migrate();

const initialState = () => ({ there: false, count: 0 });
const evolve = (state, { type }) => ({ there: true, count: state.count + (type === "Received") });

// What a fact asks of streams, in turn: [stream, what follows from its state].
function commands(fact) {
  const id = `${fact.kind}-${fact.key}`;
  const registered = (contact) => (state) =>
    state.there ? [] : [{ type: "Registered", data: { id: contact, phone: fact.phone, name: fact.name } }];
  const opened = (deal, contact) => () => [
    { type: "Opened", data: { id: deal, contact, reference: fact.reference, amount: fact.amount } },
  ];
  switch (fact.kind) {
    case "form": {
      const [contact, deal] = [`contact-${fact.phone}`, `deal-${fact.reference}`];
      return [[contact, registered(contact)], [deal, opened(deal, contact)]];
    }
    case "payment": {
      const deal = `deal-${fact.reference}`;
      return [[deal, (state) => (state.there ? [{ type: "Paid", data: { id: deal, amount: fact.amount } }] : [])]];
    }
    case "call":
      return [[id, ({ there }) => [{ type: there ? "Moved" : "Began", data: { ...fact, id } }]]];
    default:
      return [[id, (state) => [{ type: "Received", data: { id, number: state.count + 1, text: fact.text } }]]];
  }
}

// A new chat makes a contact and a deal too.
const opening = ({ key, name }) =>
  commands({ kind: "form", phone: `chat/${key}`, name, reference: `chat/${key}`, amount: 0 });

const handle = CommandHandler({ evolve, initialState });

const isNew = ({ newState, newEvents }) => newState.count > 0 && newState.count === newEvents.length;

async function alone(fact) {
  for (const [stream, decide] of commands(fact)) {
    if (isNew(await handle(store, stream, decide)))
      for (const [other, also] of opening(fact)) await handle(store, other, also);
  }
}

const sessions = dumbo({ connectionString: dsn });

const together = (facts) =>
  sessions.withTransaction(async (transaction) => {
    // appendToStream would open a transaction for each stream.
    const open = { withTransaction: async (act) => (await act(transaction)).result };
    const named = [...new Set(facts.flatMap((fact) => commands(fact).map(([stream]) => stream)))];
    const found = await Promise.all(named.map((stream) => readStream(transaction.execute, stream)));
    const states = new Map(named.map((stream, n) => [stream, found[n].events.reduce(evolve, initialState())]));
    const at = new Map(named.map((stream, n) => [stream, found[n].streamExists && found[n].currentStreamVersion]));
    const news = new Map();
    const take = (stream, decide) => {
      const state = states.get(stream) ?? initialState();
      const made = decide(state);
      states.set(stream, made.reduce(evolve, state));
      news.set(stream, [...(news.get(stream) ?? []), ...made]);
      return { newState: states.get(stream), newEvents: made };
    };
    for (const fact of facts)
      for (const [stream, decide] of commands(fact))
        if (isNew(take(stream, decide))) for (const [other, also] of opening(fact)) take(other, also);
    const appending = [...news].filter(([, events]) => events.length);
    await Promise.all(
      appending.map(([stream, events]) =>
        appendToStream(open, stream, stream.split("-")[0], events, {
          expectedStreamVersion: at.get(stream) || STREAM_DOES_NOT_EXIST,
        }),
      ),
    );
    await transaction.execute.command(rawSql(appending.flatMap(([, events]) => events.map(written)).join(";\n")));
  });

const facts = readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const began = performance.now();
const before = process.cpuUsage();
for (let at = 0; at < facts.length; at += batch) {
  const some = facts.slice(at, at + batch);
  if (batch > 1) await together(some);
  else await alone(some[0]);
}
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
const { rows } = await pool.query(`
  SELECT (SELECT count(*) FROM story_contact)::int AS a, (SELECT count(*) FROM story_deal)::int AS b,
    (SELECT count(*) FROM story_call)::int AS c, (SELECT count(*) FROM story_message)::int AS d,
    (SELECT sum(paid) FROM story_deal)::float AS e`);
console.log(JSON.stringify({ seconds, processor: (user + system) / 1e6, counts: Object.values(rows[0]) }));
await Promise.all([store.close(), sessions.close(), pool.end()]);
