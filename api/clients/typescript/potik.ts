// Sends documents typed by graphql-codegen: `ask` for queries and mutations, `follow` for subscriptions.
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
}

export async function ask<Result, Variables>(
  { url, token }: Access,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  headers: Record<string, string> = {},
): Promise<Result> {
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
  const { data, errors } = (await response.json()) as Answer<Result>;
  const [error] = errors ?? [];
  if (error || !data) throw new Refused(error?.message ?? response.statusText, error?.extensions?.code ?? "NO_DATA");
  return data;
}

export async function* follow<Result, Variables extends Record<string, unknown>>(
  { url, token }: Access,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): AsyncGenerator<Result> {
  const client = createClient({
    url: url.replace("http", "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
  });
  try {
    for await (const { data, errors } of client.iterate<Result>({ query: document.toString(), variables })) {
      const [error] = errors ?? [];
      if (error) throw new Refused(error.message, String(error.extensions?.["code"] ?? "NO_DATA"));
      if (data) yield data;
    }
  } finally {
    await client.dispose();
  }
}
