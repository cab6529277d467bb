// Runs the audits of GraphQL over HTTP: node audits.mjs URL TOKEN. One line of JSON an audit that is not passed, then their number.
import { serverAudits } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (address, given = {}) =>
  fetch(address, { ...given, headers: { ...given.headers, authorization: `Bearer ${token}` } });
const audits = serverAudits({ url, fetchFn });
for (const { fn } of audits) {
  const { id, name, status, reason, response } = await fn();
  if (status !== "ok") console.log(JSON.stringify({ id, name, reason, status: response?.status }));
}
console.log(audits.length);
