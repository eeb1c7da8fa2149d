"""The arguments of a tool: unknown ones are refused, and each fault is told in a plain sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp_types import ToolAnnotations
from pydantic import ValidationError

from forecasts.api.rules import must, shown

_MOST_FAULTS = 10


class StrictTool(Tool):
    """A tool that refuses unknown arguments, since each may be a mistyped one."""

    async def run(self, arguments: dict[str, Any], *context: Any, **more: Any) -> Any:
        """Return the tool's answer; ToolError for arguments that it does not take."""
        try:
            return await super().run(arguments, *context, **more)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            faults = [self._fault(one) for one in error.__cause__.errors()[:_MOST_FAULTS]]
            raise ToolError("\n".join(faults)) from None

    def _fault(self, fault: Any) -> str:
        """Return one of Pydantic's errors as a sentence: the parameter, the value, the rule."""
        place = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            names = ", ".join(self.parameters["properties"])
            return f"{self.name} has no parameter {place!r}. " + (
                f"Its parameters are {names}." if names else "It takes none."
            )
        if fault["type"] == "missing":
            return f"{self.name} needs the parameter {place!r}."
        return f"The parameter {place!r} is {shown(repr(fault['input']))}. It {must(fault)}."


def strict(tool: Callable[..., str], title: str, hints: ToolAnnotations) -> Tool:
    """Return the function as a tool of the server."""
    made = StrictTool.from_function(tool, title=title, annotations=hints, structured_output=False)
    model = made.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    made.parameters = model.model_json_schema(by_alias=True)
    return made
