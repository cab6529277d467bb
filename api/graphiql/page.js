// GraphiQL on this API. The token is written in the Headers tab; subscriptions send the same one.
"use strict";

const address = new URL("/graphql", location.href);
const socket = new URL(address);
socket.protocol = address.protocol.replace("http", "ws");

let headers = {};
const bearer = () => headers.Authorization || headers.authorization || "";

const client = graphqlWs.createClient({
  url: socket.href,
  connectionParams: () => ({ authorization: bearer() }),
});
const send = GraphiQL.createFetcher({ url: address.href, wsClient: client });

const EXAMPLE = `# Write your token in the Headers tab below, press the button.
# The two arrows at the bottom left then load the docs.
query Deals {
  deals(first: 10) {
    nodes {
      number
      title
      stage
      amount { text }
      contact { name phones }
    }
  }
}
`;

function Page() {
  const [query, setQuery] = React.useState(EXAMPLE);
  const explorer = GraphiQLPluginExplorer.useExplorerPlugin({ query, onEdit: setQuery });
  return React.createElement(GraphiQL, {
    fetcher: (request, options) => {
      headers = (options && options.headers) || headers;
      return send(request, options);
    },
    query,
    onEditQuery: setQuery,
    plugins: [explorer],
    defaultHeaders: JSON.stringify({ Authorization: "Bearer crm_live_" }, null, 2),
    shouldPersistHeaders: true,
  });
}

const place = document.getElementById("editor");
if (ReactDOM.createRoot) {
  ReactDOM.createRoot(place).render(React.createElement(Page));
} else {
  ReactDOM.render(React.createElement(Page), place);
}
