"""A GraphQL operation as one SQL statement that gives its answer as JSON text."""
