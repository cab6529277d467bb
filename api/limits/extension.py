"""The same limits for what strawberry runs itself, and none of several operations unless one is named."""

from collections.abc import Iterator

from strawberry.extensions import SchemaExtension

from api.errors import Invalid
from api.limits.documents import parsed, problems, unnamed


class Limited(SchemaExtension):
    """Parses and validates in strawberry's place."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query and context.graphql_document is None:
            try:
                context.graphql_document = parsed(context.query)
            except Invalid as invalid:
                raise invalid.errors[0] from None
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None:
            document, name = context.graphql_document, context._provided_operation_name  # the other has a default
            found = problems(context.schema._schema, document, suggest=True) or unnamed(document, name)
            context.pre_execution_errors = found
        yield
