"""Limits on documents, checked before validation, because validation time grows faster than a document's size."""

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, get_operation_ast, parse, validate
from graphql.validation import MaxIntrospectionDepthRule, NoSchemaIntrospectionCustomRule, specified_rules

from api.errors import Invalid
from api.limits.served import with_served
from api.limits.sizes import sizes

TOKENS, COMMENTS = 2_000, 200
DEPTH, ALIASES, DIRECTIVES, ROOT_FIELDS, FIELDS = 15, 30, 20, 20, 1_000
INTROSPECTION_DEPTH = 16  # the standard query unwraps a type nine times
LONGEST = 100_000  # characters
MAX_ERRORS = 10  # reported errors of one document
RULES = [*specified_rules, MaxIntrospectionDepthRule]
WHICH = "The document has several operations, or none of this name. Nothing was run. Name one in `operationName`."
MAY_NOT = "This token may not read the schema. Nothing was read. Use the published one, or ask an administrator."
DETAILS_HIDDEN = (
    "This part is not valid in the schema. Nothing was read. A token that may read the schema gets the reason."
)


def parse_document(text: str) -> DocumentNode:
    """Parses a document. Raises Invalid when it is not GraphQL, or longer than allowed."""
    try:
        return parse(text, max_tokens=TOKENS, max_comments=COMMENTS, max_source_length=LONGEST)
    except GraphQLSyntaxError as error:
        raise Invalid([error]) from None


def problems(schema: GraphQLSchema, document: DocumentNode, suggest: bool) -> list[GraphQLError]:
    """Returns what is wrong with a document; nothing when it can be executed.

    Without `suggest` the caller may not read the schema and gets only the position of each error: reasons would give
    the schema away, name by name.
    """
    if over := limit_errors(document):
        return over
    if suggest:
        return [with_served(schema, e) for e in validate(schema, document, RULES, max_errors=MAX_ERRORS)]
    if validate(schema, document, [NoSchemaIntrospectionCustomRule], max_errors=1):
        return [GraphQLError(MAY_NOT, extensions={"code": "FORBIDDEN"})]
    wrong = validate(schema, document, RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
    return [GraphQLError(DETAILS_HIDDEN, error.nodes) for error in wrong]


def operation_errors(document: DocumentNode, operation: str | None) -> list[GraphQLError]:
    """Returns an error when there are several operations and no name chooses one, or none has this name."""
    return [] if get_operation_ast(document, operation) else [GraphQLError(WHICH)]


def limit_errors(document: DocumentNode) -> list[GraphQLError]:
    """Returns the first limit that the document exceeds, if any."""
    try:
        found = sizes(document)
    except RecursionError:  # a fragment in a fragment in a fragment …
        return [too_much("is nested", "levels deep", DEPTH)]
    limits = (
        (found.depth, DEPTH, "is nested", "levels deep"),
        (found.introspection, INTROSPECTION_DEPTH, "is nested", "levels deep in the schema"),
        (found.aliases, ALIASES, "has", "aliases"),
        (found.directives, DIRECTIVES, "has", "directives"),
        (found.top, ROOT_FIELDS, "has", "fields at its root"),
        (found.fields, FIELDS, "has", "fields"),
    )
    return [too_much(verb, what, limit) for size, limit, verb, what in limits if size > limit][:1]


def too_much(verb: str, what: str, limit: int) -> GraphQLError:
    return GraphQLError(
        f"The document {verb} more than {limit} {what}. Nothing was read. Ask for less at a time.",
        extensions={"code": "TOO_MUCH"},
    )
