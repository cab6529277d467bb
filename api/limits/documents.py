"""The limits of a document, checked on its text and tree before validation, whose time grows faster than they do."""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    get_operation_ast,
    parse,
    validate,
)
from graphql.validation import MaxIntrospectionDepthRule, NoSchemaIntrospectionCustomRule, specified_rules

from api.errors import Invalid
from api.limits.sizes import sizes

TOKENS, COMMENTS = 2_000, 200
DEPTH, ALIASES, DIRECTIVES, ROOT_FIELDS, FIELDS = 15, 30, 20, 20, 1_000
INTROSPECTION_DEPTH = 16  # the standard query unwraps a type nine times
LONGEST = 100_000  # characters
WRONG = 10  # problems that are told of one document
RULES = [*specified_rules, MaxIntrospectionDepthRule]
WHICH = "Which operation? Nothing was run. Give the name of one of them in `operationName`."
MAY_NOT = "This token may not read the schema. Nothing was read. Take the published one, or ask an administrator."
NOT_TOLD = (
    "This does not fit the schema. Nothing was read. Try it with a token that may read the schema: it is told why."
)


def parsed(text: str) -> DocumentNode:
    """Raises Invalid when it is no GraphQL, or more of it than anybody may send."""
    try:
        return parse(text, max_tokens=TOKENS, max_comments=COMMENTS, max_source_length=LONGEST)
    except GraphQLSyntaxError as error:
        raise Invalid([error]) from None


def problems(schema: GraphQLSchema, document: DocumentNode, suggest: bool) -> list[GraphQLError]:
    """What is wrong with it; nothing when it can be run. Without `suggest` it may not ask for the schema, and hears
    where it is wrong and not why: reasons give the schema away, name by name."""
    if over := excesses(document):
        return over
    if suggest:
        return validate(schema, document, RULES, max_errors=WRONG)
    if validate(schema, document, [NoSchemaIntrospectionCustomRule], max_errors=1):
        return [GraphQLError(MAY_NOT, extensions={"code": "FORBIDDEN"})]
    wrong = validate(schema, document, RULES, max_errors=WRONG, hide_suggestions=True)
    return [GraphQLError(NOT_TOLD, error.nodes) for error in wrong]


def unnamed(document: DocumentNode, operation: str | None) -> list[GraphQLError]:
    """None is run when there are several and no name says which, or none has this name."""
    return [] if get_operation_ast(document, operation) else [GraphQLError(WHICH)]


def excesses(document: DocumentNode) -> list[GraphQLError]:
    """The first limit that it is over, if it is over one."""
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
