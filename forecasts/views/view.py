"""The base of all views, and the types that they share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from forecasts.common.json_text import json_ready


class View(BaseModel):
    """Data to show. It is dumped with ``model_dump(mode="json")``."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        serialize_by_alias=True,
        validate_by_name=True,
    )

    @classmethod
    def of(cls, row: object, **given: Any) -> Self:
        """Return the view of a row: the fields that are not given are those of the row."""
        own = {name: getattr(row, name) for name in cls.model_fields if name not in given}
        return cls(**own, **given)


# A score can be infinite, which JSON has no number for: "inf" and "-inf".
Score = Annotated[float, PlainSerializer(json_ready, return_type=float | Literal["inf", "-inf"])]
Next = Annotated[str | None, Field(description="the cursor of the next page; null on the last one")]
