// Sends documents typed by graphql-codegen: `ask` and `read` for queries and mutations, `follow` for subscriptions.
import { createClient } from "graphql-ws";
import type { TypedDocumentString } from "./generated/graphql.ts";

export interface Access {
  url: string; // of /graphql
  token: string;
}

/** An error of the server. docs/graphql.md says what to do about its `code`. */
export class Refused extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
  extensions?: { freshness?: { position?: string } };
}

/** Returns the data of a query or mutation. Throws Refused. */
export async function ask<Result, Variables>(
  access: Access,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  headers: Record<string, string> = {},
): Promise<Result> {
  return (await read(access, document, variables, headers)).data;
}

/** Like `ask`, with the position up to which the data is current: `follow` from there, with it as `after`. */
export async function read<Result, Variables>(
  { url, token }: Access,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  headers: Record<string, string> = {},
): Promise<{ data: Result; position: string }> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      ...headers,
      "Authorization": `Bearer ${token}`,
      "Accept": "application/graphql-response+json",
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors, extensions } = (await response.json()) as Answer<Result>;
  const [error] = errors ?? [];
  if (error || !data) throw new Refused(error?.message ?? response.statusText, error?.extensions?.code ?? "NO_DATA");
  return { data, position: extensions?.freshness?.position ?? "" };
}

const LONGEST_WAIT = 30_000; // milliseconds between two attempts
const SILENCE = 10_000; // milliseconds after a ping in which the server answers, or the connection is taken for dead
const AGAIN = ["SLOW_SUBSCRIBER", "UNAVAILABLE"]; // codes of errors after which the last cursor is still good
const FATAL = [4400, 4401, 4403, 4406, 4409]; // trying again would not help: the token or the message is wrong

/**
 * Follows a subscription. When the connection is cut it subscribes again with the last cursor, so nothing is lost and
 * nothing comes twice: the document has the variable `after` and selects `cursor`. Throws Refused.
 */
export async function* follow<Result, Variables extends Record<string, unknown>>(
  { url, token }: Access,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): AsyncGenerator<Result> {
  let after = variables["after"];
  for (let failures = 0; ; failures++) {
    if (failures) await pause(failures);
    let silence: ReturnType<typeof setTimeout> | undefined;
    const client = createClient({
      url: url.replace("http", "ws"),
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0, // it would subscribe again with the first cursor
      keepAlive: 20_000,
      on: {
        ping: (received, payload) => {
          if (received) after = Object.values(Object(payload?.["cursors"]))[0] ?? after; // while nothing changes
          else silence = setTimeout(() => client.terminate(), SILENCE);
        },
        pong: (received) => received && clearTimeout(silence),
      },
    });
    try {
      const given = { ...variables, after };
      for await (const { data, errors } of client.iterate<Result>({ query: document.toString(), variables: given })) {
        const [error] = errors ?? [];
        if (error) throw refusal(error);
        if (!data) continue;
        failures = 0;
        after = cursorIn(data) ?? after;
        yield data;
      }
    } catch (error) {
      const refused = Array.isArray(error) ? refusal(error[0]) : error;
      if (refused instanceof Refused && !AGAIN.includes(refused.code)) throw refused;
      const { code, reason } = Object(error);
      if (FATAL.includes(code)) throw new Refused(String(reason), code === 4403 ? "UNAUTHORIZED" : "BAD_REQUEST");
    } finally {
      clearTimeout(silence);
      await client.dispose();
    }
  }
}

function refusal({ message, extensions }: { message: string; extensions?: { code?: unknown } }): Refused {
  return new Refused(message, String(extensions?.code ?? "NO_DATA"));
}

function pause(failures: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT, 250 * 2 ** failures);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

function cursorIn(data: object): unknown {
  return Object.values(data).map((field) => Object(field)["cursor"]).find(Boolean);
}
