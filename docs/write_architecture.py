"""Write the drawing of the packages in docs/architecture.md; ``make docs`` runs it.

The drawing is made from the imports themselves, so that it cannot drift from the code.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from grimp import ImportGraph, build_graph

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawing: made by make docs -->", "<!-- end of the drawing -->"


def layers(container: str) -> list[list[str]]:
    """Return the layers that import-linter holds inside ``container``, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [found] = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [container]
    ]
    return [[name.strip() for name in layer.split("|")] for layer in found]


def imported(graph: ImportGraph, package: str, others: list[str]) -> list[str]:
    """Return the ``others`` that ``package`` imports directly, in their order."""
    return [
        other
        for other in others
        if other != package
        and graph.direct_import_exists(importer=package, imported=other, as_packages=True)
    ]


def drawing() -> str:
    """Return a line for each package: its modules, and the packages that it imports directly."""
    graph = build_graph("app", "forecasts", "scoring", cache_dir=None)
    lines = []
    for container in ("app", "forecasts"):
        inside = [f"{container}.{name}" for layer in layers(container) for name in layer]
        below = inside if container == "forecasts" else [*inside, "forecasts"]
        lines.append(f"{container}/")
        for layer in layers(container):
            for name in layer:
                package = f"{container}.{name}"
                size = len(graph.find_descendants(package)) or 1
                uses = imported(graph, package, [*below, "scoring"])
                short = ", ".join(one.removeprefix(f"{container}.") for one in uses) or "-"
                lines.append(f"  {name:<14}{size:>3}  ->  {short}")
            lines.append("")
    lines += ["scoring/", f"  {'(flat)':<14}{len(graph.find_children('scoring')):>3}  ->  -"]
    return "\n".join(lines)


def with_drawing(page: str) -> str:
    """Return the page with the drawing of today between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```text\n{drawing()}\n```\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
