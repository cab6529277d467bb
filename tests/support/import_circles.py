"""A contract of import-linter: no import circles."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class NoImportCircles(Contract):
    """Checks modules; packages may import each other's modules."""

    type_name = "no_import_circles"
    packages: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        own = {module for module in graph.modules if module.partition(".")[0] in self.packages}
        found = circles({module: graph.find_modules_directly_imported_by(module) & own for module in own})
        return ContractCheck(kept=not found, metadata={"circles": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for circle in check.metadata["circles"]:
            output.print_error(f"These import each other: {', '.join(circle)}. Move what both need to a third file.")


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module, each sorted (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        work: list[tuple[str, Any]] = [(module, iter(sorted(imports.get(module, ()))))]
        order[module] = lowest[module] = len(order)
        path.append(module)
        while work:
            at, rest = work[-1]
            for other in rest:
                if other not in order:
                    order[other] = lowest[other] = len(order)
                    path.append(other)
                    work.append((other, iter(sorted(imports.get(other, ())))))
                    break
                if other in path:
                    lowest[at] = min(lowest[at], order[other])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[at])
                if lowest[at] == order[at]:
                    circle = path[path.index(at) :]
                    del path[path.index(at) :]
                    if len(circle) > 1:
                        found.append(sorted(circle))

    for module in sorted(imports):
        if module not in order:
            visit(module)
    return sorted(found)
