"""The model behind a forecast, as a bot reports it: stored with the forecast, never changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from sqlmodel import Session, col, select, true

from forecasts.access.visibility import forecast_visible
from forecasts.common.errors import Refused
from forecasts.common.limits import require_name
from forecasts.common.text import require_storable
from forecasts.ledger.append import append
from forecasts.ledger.models import Forecast, ModelUse, Question

_NUMBERS = ("temperature", "cost", "tokens", "seconds")
_MOST_TOOLS = 100


@dataclass(frozen=True)
class Model:
    """A model and its use for one forecast; see ``ModelUse`` for the fields."""

    name: str
    version: str | None = None
    prompt_hash: str | None = None
    temperature: float | None = None
    cost: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    tools: Sequence[str] | None = None


def check_model(model: Model) -> None:
    """Refuse a model without a name, a number that is not one, and texts that are too long."""
    if not model.name.strip():
        raise Refused("The model has no name.", remedy="Give one, such as that of its maker.")
    tools = list(model.tools or ())
    for text in (model.name, model.version, model.prompt_hash, *tools):
        require_name(text or "", "The model's text")
    require_storable(tools)
    if len(tools) > _MOST_TOOLS:
        raise Refused(f"A forecast names at most {_MOST_TOOLS} tools; this one has {len(tools)}.")
    for name in _NUMBERS:
        value = getattr(model, name)
        if value is not None and not (math.isfinite(value) and 0 <= value < 2**31):
            raise Refused(f"The model's {name} must be from 0 to 2,147,483,647; {value!r} is not.")


def record_models(session: Session, used: Sequence[tuple[int, Model]]) -> None:
    """Write the models behind new forecasts, each by the forecast's id."""
    if not used:
        return
    for _, model in used:
        check_model(model)
    rows = [asdict(model) | {"forecast_id": id_} for id_, model in used]
    for row in rows:
        row["tools"] = None if row["tools"] is None else list(row["tools"])
    names = ("forecast_id", *(field.name for field in fields(Model)))
    append(session, "model_use", {name: [row[name] for row in rows] for name in names})


def known_models(session: Session) -> list[str]:
    """Return the models behind visible forecasts, each with its version, in alphabetical order."""
    # Not a join: SQLite would read every forecast for it.
    visible = select(Forecast.id).where(
        Forecast.id == ModelUse.forecast_id, forecast_visible(session)
    )
    used = session.exec(select(ModelUse.name, ModelUse.version).where(visible.exists()).distinct())
    return sorted({f"{name} {version}" if version else name for name, version in used})


def models_of(
    session: Session, question: Question, *, only: Sequence[int] | None = None
) -> dict[int, ModelUse]:
    """Return the models behind the visible forecasts on the question, by the forecast's id.

    ``only``: those of the forecasts with these numbers.
    """
    rows = session.exec(
        select(ModelUse)
        .join(Forecast, col(Forecast.id) == col(ModelUse.forecast_id))
        .where(Forecast.question_id == question.id, forecast_visible(session, question))
        .where(true() if only is None else col(Forecast.id).in_(only))
    )
    return {row.forecast_id: row for row in rows}
