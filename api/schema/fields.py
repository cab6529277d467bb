"""Makes GraphQL fields whose types and arguments are known only at start, as they come from tables."""

from collections.abc import AsyncIterator, Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple

import strawberry

from api.context import Info
from api.sql.plan.statement import PLAN, Rule

REQUIRED = Parameter.empty
PLAIN = "plain"  # key of a field's resolver in its metadata
Body = Callable[..., Any]


class Argument(NamedTuple):
    """One argument of a field. With the default UNSET it is passed to the resolver only when the caller gives it."""

    type: Any
    default: Any = REQUIRED
    about: str = ""

    def parameter(self, name: str) -> Parameter:
        named = name.removesuffix("_") if name.endswith("_") else None  # a word that Python keeps for itself
        hint = (
            Annotated[self.type, strawberry.argument(description=self.about, name=named)] if self.about else self.type
        )
        return Parameter(name, Parameter.KEYWORD_ONLY, default=self.default, annotation=hint)


Arguments = dict[str, Argument]


def field(
    returns: Any, arguments: Arguments, body: Body, about: str, plan: Rule | None = None, plain: bool = False
) -> Any:
    """Makes a field. `body(source, info, **arguments)` is a coroutine that returns the value; `plan` is its SQL.

    `plain`: the value is of dicts and instances that answer by themselves, see api.completion.
    """

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        return await body(root, info, **without_unset(given))

    metadata = ({PLAN: plan} if plan else {}) | ({PLAIN: resolve} if plain else {})
    return strawberry.field(with_signature(resolve, returns, arguments), description=about, metadata=metadata)


def subscription(returns: Any, arguments: Arguments, body: Body, about: str) -> Any:
    """Makes a subscription. `body(source, info, **arguments)` yields the values."""

    async def resolve(root: Any, info: Info, **given: Any) -> AsyncIterator[Any]:
        async for value in body(root, info, **without_unset(given)):
            yield value

    resolver = with_signature(resolve, AsyncIterator[returns], arguments)
    return strawberry.subscription(resolver=resolver, description=about)


def without_unset(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not strawberry.UNSET}


def with_signature(resolve: Any, returns: Any, arguments: Arguments) -> Any:
    """Returns the function with the signature that strawberry reads."""
    plain = Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        Parameter("root", plain, annotation=Any),
        Parameter("info", plain, annotation=Info),
        *(argument.parameter(name) for name, argument in arguments.items()),
    ]
    resolve.__signature__ = Signature(parameters, return_annotation=returns)
    resolve.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": returns}
    return resolve
