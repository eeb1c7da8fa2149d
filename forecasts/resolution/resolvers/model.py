"""Resolver kind ``model``: a language model's newest answer on the outcome, one witness of several.

It asks no model: it reads the answers that its owner asked for (``forecasts.proposals``). They
count in a quorum only, all models together as one witness, beside another that is not a model.
"""

from __future__ import annotations

from datetime import datetime

from forecasts.common.text import cut
from forecasts.common.times import read_time
from forecasts.resolution.resolvers import parsing, protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind

# ``fetch`` returns the model's name, outcome, time and passages; null without an outcome.
ADDRESS = "model:"
_MOST_NOTE = 5_000  # characters


class Settings(protocol.Settings):
    """The newest outcome that a model found when you asked it, with its passages."""


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome that the model read in articles, None without one."""
    seen = fetch(ADDRESS + asked.slug)
    answer = parsing.json_of(seen)
    if answer is None:
        return None
    said = [
        f"“{one['quotation']}” ({one['meets']}; article {one['article']})"
        for one in answer["passages"]
    ]
    note = cut("\n".join([f"by the model {answer['model']}", *said]), _MOST_NOTE)
    return Finding(answer["outcome"], read_time(answer["known_at"]), note=note, seen=(seen,))


KIND = Kind(Settings, look, is_model=True, reads=False)
