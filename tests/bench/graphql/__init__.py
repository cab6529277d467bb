"""`crm bench graphql`: the same four questions to this API, to plain strawberry and to PostGraphile, side by side."""
