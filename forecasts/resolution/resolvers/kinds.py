"""The resolver kinds: ours, one module each, and those of other packages.

Other packages add a ``protocol.Kind`` by an entry point of the group ``forecasts.resolvers``.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from forecasts.common.errors import BadInput
from forecasts.resolution.resolvers import (
    command,
    deadline,
    feed,
    http_json,
    model,
    outcomes_file,
    question,
    series,
)
from forecasts.resolution.resolvers.protocol import Kind

GROUP = "forecasts.resolvers"
OURS = {
    "outcomes_file": outcomes_file.KIND,
    "series": series.KIND,
    "http_json": http_json.KIND,
    "feed": feed.KIND,
    "deadline": deadline.KIND,
    "question": question.KIND,
    "command": command.KIND,
    "model": model.KIND,
}


def names() -> list[str]:
    """Return the names of all kinds: ours, then those of other packages."""
    return [*OURS, *sorted(entry_points(group=GROUP).names.difference(OURS))]


def kind(name: str) -> Kind:
    """Return the kind of that name; BadInput if there is none or it cannot be loaded.

    Another package cannot replace one of our kinds.
    """
    if name in OURS:
        return OURS[name]
    theirs = entry_points(group=GROUP, name=name)
    if not theirs:
        raise BadInput(
            f"There is no resolver kind {name!r}.",
            remedy="Choose one of: " + ", ".join(names()) + ".",
        )
    try:
        found = next(iter(theirs)).load()
    except Exception as error:  # another package may raise anything when it is imported
        raise BadInput(
            f"The resolver kind {name!r} cannot be used: {type(error).__name__}: {error}.",
            remedy="Repair or reinstall the package that provides it.",
        ) from None
    if not isinstance(found, Kind):
        raise BadInput(
            f"The resolver kind {name!r} must be a forecasts.resolution.resolvers.protocol.Kind, "
            f"got {found!r}."
        )
    return found
