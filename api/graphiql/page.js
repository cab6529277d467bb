// GraphiQL on this API. The token is in the address (#token=…) or in the Headers tab; subscriptions
// use the same one.
"use strict";

const address = new URL("/graphql", location.href);
const socket = new URL(address);
socket.protocol = address.protocol.replace("http", "ws");

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", location.pathname); // keeps the token out of the address bar

let headers = { Authorization: `Bearer ${given || "crm_live_"}` };
const bearer = () => headers.Authorization || headers.authorization || "";

const client = graphqlWs.createClient({
  url: socket.href,
  connectionParams: () => ({ authorization: bearer() }),
});
const send = GraphiQL.createFetcher({ url: address.href, wsClient: client });
const draw = React.createElement;

const Icon = () =>
  draw("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5 },
    draw("path", { d: "M12 6c-2-1.5-5-2-8-1.5V18c3-.5 6 0 8 1.5 2-1.5 5-2 8-1.5V4.5C17 4 14 4.5 12 6zm0 0v13.5" }));

function Examples({ examples, onPick }) {
  return draw("section", { className: "examples" },
    draw("h2", null, "Examples"),
    draw("p", null, "Click one to put it into the editor; Ctrl-Z restores the previous text."),
    draw("ul", null, examples.map((example) =>
      draw("li", { key: example.name },
        draw("button", { type: "button", onClick: () => onPick(example.query) },
          draw("strong", null, example.name),
          draw("span", null, example.about))))));
}

function Page({ examples }) {
  const [query, setQuery] = React.useState(undefined);
  const [shown, setShown] = React.useState("Examples");
  const explorer = GraphiQLPluginExplorer.useExplorerPlugin({ query: query || "", onEdit: setQuery });
  const stories = React.useMemo(() => ({
    title: "Examples",
    icon: Icon,
    content: () => draw(Examples, { examples, onPick: setQuery }),
  }), []);
  return draw(GraphiQL, {
    fetcher: (request, options) => {
      headers = (options && options.headers) || headers;
      return send(request, options);
    },
    query,
    defaultQuery: examples[0].query,
    onEditQuery: setQuery,
    onTabChange: ({ tabs, activeTabIndex }) => { document.title = `${tabs[activeTabIndex].title} · GraphiQL`; },
    plugins: [stories, explorer],
    visiblePlugin: shown,
    onTogglePluginVisibility: (plugin) => setShown(plugin && plugin.title),
    headers: given ? JSON.stringify(headers, null, 2) : undefined,
    defaultHeaders: JSON.stringify(headers, null, 2),
    shouldPersistHeaders: true,
  });
}

fetch("/graphiql/examples.json")
  .then((answer) => answer.json())
  .then((examples) => ReactDOM.render(draw(Page, { examples }), document.getElementById("editor")));
