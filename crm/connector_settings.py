"""Settings of a connection: a typed struct in the connector's code, texts in storage, one description for people.

The description is what `crm connect VENDOR --help`, the check of `connectionAdd` and docs/integrations.md are made of.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from crm.currencies import currency_named, currency_of
from crm.dialling import has_numbers
from crm.errors import Broken, Malformed, Refused

Kind = Literal["text", "number", "yes or no", "country", "currency"]
KINDS: dict[Any, Kind] = {str: "text", int: "number", bool: "yes or no"}  # of a type that says no kind
YES, NO = "yes", "no"
# Options of crm connect.
RESERVED = frozenset(("check", "connection", "data", "every", "help", "json", "name", "secret", "setting", "workspace"))
S = TypeVar("S", bound=Struct)


class NoSettings(Struct, frozen=True, gc=False):
    """The settings of a connector that has none."""


COUNTRY = "How phone numbers without a country code are read, ISO 3166. Empty: the workspace's country."
CURRENCY = "The currency of an amount that names none, ISO 4217. Empty: the workspace's currency."
Country = Annotated[
    str, Meta(description=COUNTRY, examples=["UA"], extra={"kind": "country", "pattern": "[A-Za-z]{2}"})
]
Currency = Annotated[
    str, Meta(description=CURRENCY, examples=["UAH"], extra={"kind": "currency", "pattern": "[A-Za-z]{3}"})
]
SINCE = "From which day on the vendor is asked for what was before the connection. Empty: as little as it allows."
Since = Annotated[str, Meta(description=SINCE, examples=["2026-01-31"], extra={"pattern": r"\d{4}-\d\d-\d\d"})]


def _is_currency(text: str) -> bool:
    try:
        return bool(currency_named(text) or currency_of(text))
    except Malformed:
        return False


CHECKS: dict[Kind, Callable[[str], bool]] = {
    "text": lambda _: True,
    "number": lambda text: re.fullmatch(r"-?\d{1,18}", text, re.ASCII) is not None,
    "yes or no": lambda text: text in (YES, NO),
    "country": lambda text: has_numbers(text.strip()),
    "currency": lambda text: _is_currency(text.strip()),
}


class Setting(Struct, frozen=True, omit_defaults=True):
    """One setting, described. A name such as `currency.<account>` stands for one setting per account."""

    name: str
    description: str
    kind: Kind = "text"
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""  # the whole text matches it
    example: str = ""

    @property
    def prefix(self) -> str:
        """What the names of this setting begin with, when there may be several; else empty."""
        return self.name.partition("<")[0] if "<" in self.name else ""

    def fits(self, text: str) -> bool:
        if self.choices:
            return text in self.choices
        if self.pattern and not re.fullmatch(self.pattern, text.strip()):
            return False
        return CHECKS[self.kind](text)

    @property
    def values(self) -> str:
        """What it takes, in words."""
        if self.choices:
            return " or ".join(self.choices)
        if self.kind == "number":
            return "a whole number"
        return f"a text such as {self.example}" if self.example and self.kind != "yes or no" else self.kind

    @property
    def takes(self) -> str:
        """What it takes, and whether it must be given or what holds when it is not."""
        default = f"; {self.default} if not given" if self.default else ""
        return f"{self.values}{'; required' if self.required else default}"


class BadSetting(ValueError):
    """A setting that a connector cannot use. `missing`: it was not given at all."""

    def __init__(self, sentence: str, missing: bool = False) -> None:
        super().__init__(sentence)
        self.missing = missing


def check_settings(connector: str, declared: Sequence[Setting], given: Mapping[str, str]) -> None:
    """Raises BadSetting for one that is unknown, of a wrong type, or missing."""
    for name, text in given.items():
        setting = _declared(declared, name)
        if setting is None:
            known = ", ".join(each.name for each in declared)
            have = f"it has {known}" if known else "it has none"
            raise BadSetting(f"{connector} has no setting {name!r}: {have}.")
        if text.strip() and not setting.fits(text):
            raise BadSetting(f"The setting {name!r} takes {setting.values}. It is for this: {setting.description}")
    for setting in declared:
        if setting.required and not given.get(setting.name, "").strip():
            raise BadSetting(f"{connector} needs the setting {setting.name!r}: {setting.description}", missing=True)


def _declared(declared: Sequence[Setting], name: str) -> Setting | None:
    for setting in declared:
        if name == setting.name or (setting.prefix and name.startswith(setting.prefix) and name != setting.prefix):
            return setting
    return None


def typed_settings(kind: type[S], given: Mapping[str, str]) -> S:
    """The settings that a connection was declared with, as its connector's struct.

    Unknown names are left out: a connection may be older than its connector. Raises Refused for a value that cannot be
    used.
    """
    values: dict[str, object] = {}
    for name, field in _hints(kind).items():
        prefix = name.partition("<")[0]
        if prefix != name:
            values[name] = {key.removeprefix(prefix): text for key, text in given.items() if key.startswith(prefix)}
        elif text := given.get(name, ""):
            values[name] = text == YES if field is bool else text
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        what, _, name = str(error).rstrip("`").rpartition(" - at `$.")
        why = f"The setting {name!r} of this connection cannot be used: {what}. Nothing was kept."
        raise Refused(f"{why} Set it again with `crm connect`.") from None


def describe_settings(kind: type[Struct]) -> tuple[Setting, ...]:
    """The settings of a struct. Raises Broken with a sentence when its shape cannot be shown to people."""
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        raise Broken(f"its settings are {kind!r}, not a msgspec.Struct")
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_describe(field, hints[field.name]) for field in msgspec.structs.fields(kind))


def _describe(field: msgspec.structs.FieldInfo, hint: Any) -> Setting:
    name = field.encode_name
    bare, metas = (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())
    about = next((meta for meta in metas if isinstance(meta, Meta)), Meta())
    extra = about.extra or {}
    choices = tuple(get_args(bare)) if get_origin(bare) is Literal else ()
    if name in RESERVED:
        raise Broken(f"its setting {name!r} has the name of an option of `crm connect`")
    if not about.description:
        raise Broken(f"its setting {name!r} has no description: declare it as Annotated[..., Meta(description=...)]")
    plain = bare in KINDS or ("<" in name and bare == dict[str, str])
    if not (all(isinstance(choice, str) for choice in choices) if choices else plain):
        raise Broken(f"its setting {name!r} is of a type that settings cannot have: use str, int, bool or Literal")
    kind = extra.get("kind", KINDS.get(bare, "text"))
    if kind not in CHECKS:
        raise Broken(f"its setting {name!r} is of the kind {kind!r}: use one of {', '.join(CHECKS)}")
    default = field.default if isinstance(field.default, str | int) else ""
    return Setting(
        name=name,
        description=about.description,
        kind=kind,
        required=field.required,
        default=(YES if default else NO) if isinstance(default, bool) else str(default),
        choices=tuple(choice for choice in choices if choice),
        pattern=extra.get("pattern", ""),
        example=str(next(iter(about.examples or ()), "")),
    )


def _hints(kind: type[Struct]) -> dict[str, Any]:
    """The bare types of a struct's fields by the names of the settings."""
    hints = get_type_hints(kind)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}
