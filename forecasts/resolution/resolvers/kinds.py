"""Resolvers: what looks up the outcome of a question. One module a kind, one line a kind here.

``protocol`` says what a kind is. Other packages add theirs by an entry point of the group
``forecasts.resolvers`` that names a ``protocol.Kind``.
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


def names() -> list[str]:
    """Return the names of all kinds: ours, then those that other packages bring."""
    ours = list(_ours())
    others = {entry.name for entry in entry_points(group=GROUP)}
    return [*ours, *sorted(others.difference(ours))]


def kind(name: str) -> Kind:
    """Return the kind of that name; BadInput names those there are, or why it cannot be used.

    A kind of another package that has the name of one of ours does not replace it.
    """
    ours = _ours()
    if name in ours:
        return ours[name]
    theirs = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not theirs:
        raise BadInput(
            f"There is no resolver kind {name!r}.",
            remedy="There are: " + ", ".join(names()) + ".",
        )
    try:
        found = theirs[0].load()
    except Exception as error:  # whatever a package of somebody's does when it is imported
        raise BadInput(
            f"The resolver kind {name!r} cannot be used: {type(error).__name__}: {error}.",
            remedy="Mend or reinstall the package that brings it.",
        ) from None
    if not isinstance(found, Kind):
        raise BadInput(
            f"The resolver kind {name!r} is not a forecasts.resolution.resolvers.protocol.Kind, "
            f"but {found!r}."
        )
    return found


def _ours() -> dict[str, Kind]:
    return {
        "outcomes_file": Kind(outcomes_file.Settings, outcomes_file.look),
        "series": Kind(
            series.Settings,
            series.look,
            reads_off=True,
            fits=series.fits,
            not_before=series.not_before,
        ),
        "http_json": Kind(http_json.Settings, http_json.look, reads_off=True, fits=http_json.fits),
        "feed": Kind(feed.Settings, feed.look, only_proposes=True, fits=feed.fits),
        "deadline": Kind(
            deadline.Settings,
            deadline.look,
            of_silence=True,
            fits=deadline.fits,
            not_before=deadline.not_before,
        ),
        "question": Kind(question.Settings, question.look, fits=question.fits),
        "command": Kind(command.Settings, command.look, fits=command.fits),
    }
