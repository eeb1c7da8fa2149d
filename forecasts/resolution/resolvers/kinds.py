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
    outcomes_file,
    question,
    series,
)
from forecasts.resolution.resolvers.protocol import Kind

GROUP = "forecasts.resolvers"
_OURS = {
    "outcomes_file": Kind(outcomes_file.Settings, outcomes_file.look),
    "series": Kind(
        series.Settings, series.look, measured=True, fits=series.fits, not_before=series.not_before
    ),
    "http_json": Kind(http_json.Settings, http_json.look, measured=True, fits=http_json.fits),
    "feed": Kind(feed.Settings, feed.look, only_proposes=True, fits=feed.fits),
    "deadline": Kind(
        deadline.Settings,
        deadline.look,
        fallback=True,
        reads=False,
        fits=deadline.fits,
        not_before=deadline.not_before,
    ),
    "question": Kind(question.Settings, question.look, reads=False, fits=question.fits),
    "command": Kind(command.Settings, command.look, reads=False, fits=command.fits),
}


def names() -> list[str]:
    """Return the names of all kinds: ours, then those of other packages."""
    return [*_OURS, *sorted(entry_points(group=GROUP).names.difference(_OURS))]


def kind(name: str) -> Kind:
    """Return the kind of that name; BadInput if there is none or it cannot be loaded.

    Another package cannot replace one of our kinds.
    """
    if name in _OURS:
        return _OURS[name]
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
