"""A resolver kind of somebody else's: decides by a coin that always shows the same side."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind


class Settings(BaseModel):
    """Which side the coin shows, and from when on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    side: str = Field(description="yes or no")


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the side that the coin shows, once the question has closed."""
    if now < asked.close_time:
        return None
    return Finding(settings.side, asked.close_time, note="a coin said so")


KIND = Kind(Settings, look)
