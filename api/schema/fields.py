"""GraphQL fields whose types and arguments are known only at start, as they come from tables."""

from collections.abc import AsyncIterator, Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple

import strawberry

from api.context import Info
from api.sql.plan.statement import PLAN, Rule

REQUIRED = Parameter.empty
Body = Callable[..., Any]


class Argument(NamedTuple):
    """One argument of a field. With the default UNSET it is passed on only when the caller gives it."""

    type: Any
    default: Any = REQUIRED
    about: str = ""

    def parameter(self, name: str) -> Parameter:
        hint = Annotated[self.type, strawberry.argument(description=self.about)] if self.about else self.type
        return Parameter(name, Parameter.KEYWORD_ONLY, default=self.default, annotation=hint)


Arguments = dict[str, Argument]


def field(returns: Any, arguments: Arguments, body: Body, about: str, plan: Rule | None = None) -> Any:
    """`body(source, info, **arguments)` is a coroutine that gives the value; `plan` gives the same in SQL."""

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        return await body(root, info, **known(given))

    return strawberry.field(
        resolver=signed(resolve, returns, arguments), description=about, metadata={PLAN: plan} if plan else None
    )


def subscription(returns: Any, arguments: Arguments, body: Body, about: str) -> Any:
    """`body(source, info, **arguments)` yields the values."""

    async def resolve(root: Any, info: Info, **given: Any) -> AsyncIterator[Any]:
        async for value in body(root, info, **known(given)):
            yield value

    return strawberry.subscription(resolver=signed(resolve, AsyncIterator[returns], arguments), description=about)


def known(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not strawberry.UNSET}


def signed(resolve: Any, returns: Any, arguments: Arguments) -> Any:
    """The function, with the signature that strawberry is to read off it."""
    plain = Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        Parameter("root", plain, annotation=Any),
        Parameter("info", plain, annotation=Info),
        *(argument.parameter(name) for name, argument in arguments.items()),
    ]
    resolve.__signature__ = Signature(parameters, return_annotation=returns)
    resolve.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": returns}
    return resolve
