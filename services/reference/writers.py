"""Says which records a function can make, by reading its code and that of everything it calls.

Read, not run: no test data can miss a branch. A record counts as made where its class is called, alone or through
`partial`; a class that is only matched or asked for does not count.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from crm import events, facts
from crm.envelope import Event, Fact

PACKAGES = ("crm.", "services.connectors.")  # whose functions are followed
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
BUILDERS = ("partial",)  # take a class and make it later


def made_by(function: Callable[..., Any]) -> set[str]:
    """Returns the names of the facts and events that a function, or what it calls, makes."""
    made: set[str] = set()
    waiting, seen = [inspect.unwrap(function)], set()
    while waiting:
        one = waiting.pop()
        if one in seen or not isinstance(one, FunctionType) or not one.__module__.startswith(PACKAGES):
            continue
        seen.add(one)
        here, further = read(one)
        made |= here
        waiting += further
    return made


@cache
def read(function: FunctionType) -> tuple[set[str], list[Any]]:
    """Returns the names of what the function itself makes, and what it may call. Most is called by many."""
    nodes = nodes_of(function)
    made = {record.__name__ for node in nodes for record in constructed(node, function.__globals__)}
    return made, [one for node in nodes for one in called(node, function)]


def nodes_of(function: FunctionType) -> list[Function]:
    """Returns the function's code as a tree; of several lambdas on its line, all."""
    return functions_of(function.__module__).get(function.__code__.co_firstlineno, [])


@cache
def functions_of(module: str) -> dict[int, list[Function]]:
    """Returns the functions of a module by their first line, which is that of a decorator where there is one."""
    found: dict[int, list[Function]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(import_module(module)))):
        if isinstance(node, Function):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            found.setdefault(first, []).append(node)
    return found


def constructed(node: ast.AST, names: dict[str, Any]) -> Iterator[type[Fact | Event]]:
    """Yields the records whose class is called in a piece of code."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            target = resolved(call.func, names)
            if getattr(target, "__name__", "") in BUILDERS and call.args:
                target = resolved(call.args[0], names)
            if isinstance(target, type) and issubclass(target, Fact | Event):
                yield target


def called(node: ast.AST, function: FunctionType) -> Iterator[Any]:
    """Yields what a piece of code mentions and may call: functions, also in tables, and the methods of classes and of
    their instances."""
    local = set(function.__code__.co_varnames)
    for name in ast.walk(node):
        if isinstance(name, ast.Attribute) or (isinstance(name, ast.Name) and name.id not in local):
            value = resolved(name, function.__globals__)
            some = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
            for one in (*some, type(value)):
                if isinstance(one, type) and one.__module__.startswith(PACKAGES):
                    yield from map(inspect.unwrap, filter(inspect.isfunction, vars(one).values()))
                elif callable(one):
                    yield inspect.unwrap(one)


def resolved(node: ast.AST, names: dict[str, Any]) -> Any:
    """Returns what a name, or an attribute of a module, is; None for everything else."""
    match node:
        case ast.Name(id):
            return names.get(id)
        case ast.Attribute(value, attr):
            owner = resolved(value, names)
            return getattr(owner, attr, None) if isinstance(owner, ModuleType) else None
    return None


def made_in(file: Path) -> set[str]:
    """Returns the names of the facts and events whose class is called anywhere in a file."""
    every = {name for module in (events, facts) for name in vars(module)} - {"Event", "Fact"}
    calls = (node.func for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call))
    return {call.id for call in calls if isinstance(call, ast.Name)} & every
