// Looks up a caller, then follows deals until Ctrl-C: `node example.ts "067 123 45 67"`.
import { DealChangedDocument, WhoIsCallingDocument } from "./generated/graphql.ts";
import { ask, follow } from "./potik.ts";

const { GRAPHQL: url = "", TOKEN: token = "" } = process.env;
const [phone = ""] = process.argv.slice(2);

const { caller } = await ask({ url, token }, WhoIsCallingDocument, { phone });
console.log(caller.contact?.name ?? "unknown number");
for (const deal of caller.openDeals) {
  console.log(`D-${deal.number} ${deal.title}: ${deal.amount.text}, ${deal.stage}`);
}
console.log("following");
for await (const { dealChanged } of follow({ url, token }, DealChangedDocument, {})) {
  const { deal } = dealChanged; // null when it no longer exists
  if (deal) console.log(`D-${deal.number} is ${deal.stage}`);
}
