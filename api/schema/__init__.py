"""The GraphQL schema, made from projections and commands."""
