"""Print every command with its options, endpoint, tool, page and format, one a line.

Two releases are compared by the lines that differ: ``python docs/list_interfaces.py > after.txt``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import create_engine

from forecasts.api.mcp.server import build as build_tools
from forecasts.api.server import build
from forecasts.cli import root
from forecasts.platforms import formats

ROOT = Path(__file__).parents[1]


def interfaces() -> Iterator[str]:
    """Yield a line for each, in no order."""
    commands = root.loaded()
    for name in commands:
        yield from _options(name, commands[name])
    app = build(create_engine("sqlite://"), clock=lambda: datetime.now(UTC))
    yield from _routes(app.routes, "")
    for path, acts in app.openapi()["paths"].items():
        for act, operation in acts.items():
            names = (one["name"] for one in operation.get("parameters", ()))
            yield from (f"endpoint {act.upper()} {path} {name}" for name in names)
    tools = asyncio.run(build_tools(lambda: None).list_tools())  # type: ignore[arg-type,return-value]
    for tool in tools:
        yield f"tool {tool.name}"
        yield from (f"tool {tool.name} {name}" for name in tool.input_schema["properties"])
    navigation = (ROOT / "app" / "navigation.py").read_text(encoding="utf-8")
    yield from (f"page {title}" for title in re.findall(r'st\.Page\(.*?title="(.*?)"', navigation))
    yield from (f"format read {name}" for name in formats.FORMATS)
    yield from (f"format written {name}" for name in formats.EXPORTS)


def _options(name: str, command: Any) -> Iterator[str]:
    yield f"command {name}"
    for one in command.params:
        for word in [*one.opts, *one.secondary_opts]:
            yield f"command {name} {word} {one.metavar or ''}".rstrip()
    for part, below in getattr(command, "commands", {}).items():
        yield from _options(f"{name} {part}", below)


def _routes(routes: Any, below: str) -> Iterator[str]:
    for route in routes:
        path = below + getattr(route, "path", "")
        for method in getattr(route, "methods", None) or ():
            yield f"endpoint {method} {path}"
        yield from _routes(getattr(route, "routes", ()) or (), path)


if __name__ == "__main__":
    typer.echo("\n".join(sorted(set(interfaces()))))
