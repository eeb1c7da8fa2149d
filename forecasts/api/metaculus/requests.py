"""The requests that bots send, in the platform's shapes, and the ledger's values of them.

A field of a request that the ledger has no place for is refused, or, of a new post, named in the
answer (``not_kept``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from forecasts.api.problems import invalid_values, shown
from forecasts.api.v1.requests import MOST_FORECASTS, UsedModel
from forecasts.common.errors import BadInput, Problem, Refused
from forecasts.common.times import iso, iso_day_or_time, read_time
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.questions.registry import question_text
from forecasts.updates.model_uses import Model, check_model
from forecasts.values import distributions
from forecasts.values.outcomes import format_figure
from forecasts.values.value import SUM_TOLERANCE, Value, check_value

SITE = 1  # the number of the project that holds every question


def moment(text: Any) -> Any:
    """Return the time of a text; one without a zone is in UTC, as on the platform."""
    if not isinstance(text, str):
        return text
    if not text:
        return None
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        return read_time(text)
    return read_time(text if naive.tzinfo or len(text) == 10 else f"{text}Z")


Number = Annotated[int, Field(ge=0, lt=2**31)]  # of a post, question, link or account
Few = Field(max_length=MOST_FORECASTS)  # of a list that a request may have
Moment = Annotated[datetime | None, BeforeValidator(moment)]


class _Request(BaseModel):
    """A request: a field that is not here is refused, so that nothing is dropped in silence."""

    model_config = ConfigDict(extra="forbid")


class NewForecast(_Request):
    """A forecast on a question: one of the three values.

    ``model``: the ledger's own field, which a bot may add.
    """

    question: Number
    source: str = "api"
    probability_yes: float | None = None
    probability_yes_per_category: dict[str, float | None] | None = None
    continuous_cdf: list[float] | None = None
    end_time: Moment = None
    percentiles: None = None
    slider_values: None = None
    distribution_input: None = None
    model: UsedModel | None = None


class Withdrawal(_Request):
    """The end of a forecast, now."""

    question: Number
    withdraw_at: Moment = None


class NewComment(_Request):
    """A comment on a post; ``included_forecast``: it gives the reasons of a forecast."""

    on_post: Number
    text: str
    is_private: bool = False
    included_forecast: bool = False
    parent: int | None = None


class Bulk(_Request):
    """Forecasts and comments of one account, in one transaction."""

    acting_user: str | int | None = None
    forecasts: Annotated[list[NewForecast], Few] = []
    comments: Annotated[list[NewComment], Few] = []


class BulkRead(_Request):
    """The questions whose forecasts an account reads."""

    acting_user: str | int | None = None
    question_ids: Annotated[list[Number], Few]


class NewBot(_Request):
    """The name of a new bot."""

    username: str


class Outcome(_Request):
    """The outcome of a question, and when it became known."""

    resolution: str
    actual_resolve_time: Moment = None


class Times(_Request):
    """The times with which a post is approved."""

    published_at: Moment = None
    open_time: Moment = None
    cp_reveal_time: Moment = None
    scheduled_close_time: Moment = None
    scheduled_resolve_time: Moment = None


class NewScaling(BaseModel):
    """The range of a new question; dates are ISO 8601 or seconds since 1970."""

    range_min: float | str | None = None
    range_max: float | str | None = None
    zero_point: float | None = None


class NewQuestion(Times):
    """The question of a new post; any other field is named in the answer."""

    model_config = ConfigDict(extra="allow")

    title: str
    type: Literal["binary", "multiple_choice", "numeric", "date", "discrete"]
    description: str = ""
    resolution_criteria: str = ""
    fine_print: str = ""
    options: list[str] | None = None
    scaling: NewScaling = NewScaling()
    open_lower_bound: bool | None = None
    open_upper_bound: bool | None = None
    inbound_outcome_count: int | None = None
    unit: str = ""
    question_weight: float = 1.0
    resolution: str | None = None


class NewPost(BaseModel):
    """A new post with its question; any other field is named in the answer."""

    model_config = ConfigDict(extra="allow")

    title: str = ""
    default_project: int | None = None
    published_at: Moment = None
    question: NewQuestion
    acting_user: str | int | None = None


_ROUNDED = 1e-6  # how far from 1 the probabilities of options may sum, as bots round them
_FIELDS = {
    QuestionType.binary: "probability_yes",
    QuestionType.multiple_choice: "probability_yes_per_category",
    QuestionType.numeric: "continuous_cdf",
    QuestionType.date: "continuous_cdf",
}
_REMEDIES = {
    "probability_yes": "Give probability_yes: a number from 0 to 1, such as 0.71.",
    "probability_yes_per_category": "Give probability_yes_per_category: a number from 0 to 1 for "
    "each option, with the sum 1.",
    "continuous_cdf": "Give continuous_cdf: the probability at each number of the question's "
    "scaling.continuous_range.",
}


def value(sent: NewForecast, text: QuestionText, place: str = "body") -> Value:
    """Return the forecast's value; BadInput, with its place, if it is not one for the question.

    Probabilities of options whose sum is off by rounding are divided by it.
    """
    if sent.end_time is not None:
        with _placed(f"{place}.end_time", iso(sent.end_time)):
            raise BadInput(
                "end_time is set, and in a ledger a forecast lasts until the next one.",
                remedy="Leave it out, and withdraw the forecast at that time.",
            )
    needed = _FIELDS[QuestionType(text.type)]
    given = [name for name in dict.fromkeys(_FIELDS.values()) if getattr(sent, name) is not None]
    name = given[0] if given else needed
    with _placed(f"{place}.{name}", getattr(sent, name)):
        if given != [needed]:
            has = " and ".join(given) or "no value"
            raise BadInput(
                f"The forecast on question {sent.question} has {has}; a {text.type} question takes "
                f"{needed}.",
                remedy=_REMEDIES[needed],
            )
        found = _value(sent, text)
    with _placed(f"{place}.{name}", getattr(sent, name), _REMEDIES[needed]):
        check_value(found, text)
    return found


def model(sent: NewForecast, place: str) -> Model | None:
    """Return the model behind the forecast; BadInput, with its place, if it breaks a rule."""
    if sent.model is None:
        return None
    used = Model(**dict(sent.model))
    with _placed(f"{place}.model", used.name):
        check_model(used)
    return used


@contextmanager
def _placed(place: str, value: object, remedy: str = "") -> Iterator[None]:
    """Let a wrong value be refused with its place."""
    try:
        yield
    except (BadInput, Refused) as error:
        problem = Problem(place, shown(value), error.message)
        raise invalid_values([problem], remedy or error.advice) from None


def _value(sent: NewForecast, text: QuestionText) -> Value:
    if sent.continuous_cdf is not None:
        return distributions.from_cdf(sent.continuous_cdf, text)
    if sent.probability_yes_per_category is not None:
        return Value(probabilities=_vector(sent.probability_yes_per_category, text.options or []))
    return Value(probability=sent.probability_yes)


def _vector(sent: dict[str, float | None], options: list[str]) -> tuple[float, ...]:
    """Return the probabilities in the order of the options; a missing one is refused."""
    missing = [option for option in options if sent.get(option) is None]
    unknown = [name for name in sent if name not in options]
    if missing or unknown:
        wrong = f"lacks {missing[0]!r}" if missing else f"names {unknown[0]!r}, which is not one"
        raise BadInput(
            f"probability_yes_per_category {wrong}.", remedy=f"The options: {', '.join(options)}."
        )
    vector = tuple(float(sent[option] or 0.0) for option in options)
    total = math.fsum(vector)
    if SUM_TOLERANCE < abs(total - 1) <= _ROUNDED:
        vector = tuple(p / total for p in vector)
    return vector


def wording(post: NewPost, *, now: datetime) -> QuestionText:
    """Return the wording of the question of a new post; BadInput for one that is not valid."""
    asked = post.question
    if asked.resolution is not None:
        raise BadInput("A new question has no resolution.", remedy="Resolve it afterwards.")
    if asked.scheduled_close_time is None:
        raise BadInput("The question has no scheduled_close_time.", remedy="Give one.")
    project = post.default_project
    revealed = asked.cp_reveal_time
    opens = asked.open_time or now
    return question_text(
        title=asked.title or post.title,
        type="numeric" if asked.type == "discrete" else asked.type,
        options=asked.options,
        **_bounds(asked),
        unit=asked.unit or None,
        open_time=opens,
        scheduled_close_time=asked.scheduled_close_time,
        scheduled_resolve_time=asked.scheduled_resolve_time,
        tags=None if project in (None, SITE) else [str(project)],
        background=asked.description,
        resolution_criteria=asked.resolution_criteria,
        fine_print=asked.fine_print,
        crowd_hidden=revealed is not None and revealed > opens,
    )


def _bounds(asked: NewQuestion) -> dict[str, str | None]:
    """Return the bounds as the ledger writes them, none for other types."""
    if asked.type not in ("numeric", "date", "discrete"):
        return {}
    low, high = asked.scaling.range_min, asked.scaling.range_max
    bounds = {"lower_bound": _bound(low, asked.type), "upper_bound": _bound(high, asked.type)}
    if asked.type == "discrete" and not _counts(low, high, asked.inbound_outcome_count):
        raise BadInput(
            f"A discrete question counts whole numbers here, and {asked.inbound_outcome_count} "
            f"outcomes from {low} to {high} are not.",
            remedy="Set range_min to half below the first and range_max to half above the "
            "last, and inbound_outcome_count to their difference; or ask it as numeric.",
        )
    return bounds


def _counts(low: float | str | None, high: float | str | None, outcomes: int | None) -> bool:
    """Return whether the outcomes between the bounds are whole numbers."""
    if not isinstance(low, float) or not isinstance(high, float):
        return False
    return low % 1 == 0.5 and high - low == outcomes


def _bound(given: float | str | None, kind: str) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if kind == "date":
        try:
            return iso_day_or_time(datetime.fromtimestamp(given, UTC))
        except (ValueError, OverflowError, OSError):
            raise BadInput(f"The bound {given} is not a time in seconds since 1970.") from None
    return format_figure(given)


def not_kept(post: NewPost, text: QuestionText) -> dict[str, str]:
    """Return the fields of a new post that its question lacks, each with the reason."""
    asked = post.question
    reasons: dict[str, tuple[Any, str]] = {
        "zero_point": (
            asked.scaling.zero_point != distributions.zero_point(text),
            "The scale follows from the bounds: see the question's scaling.",
        ),
        "open_lower_bound": (asked.open_lower_bound is False, "Every bound is open."),
        "open_upper_bound": (asked.open_upper_bound is False, "Every bound is open."),
        "question_weight": (asked.question_weight != 1, "Every question weighs the same."),
        "cp_reveal_time": (
            asked.cp_reveal_time is not None,
            "The crowd is hidden until the reader's own forecast or the close, or not at all.",
        ),
        "published_at": (post.published_at is not None, "It is published now."),
    }
    found = {name: reason for name, (given, reason) in reasons.items() if given}
    extra = {**(post.model_extra or {}), **(asked.model_extra or {})}
    return found | {name: "A ledger has no place for it." for name, given in extra.items() if given}
