"""Compiles a GraphQL operation to one SQL statement that returns its answer as JSON."""
