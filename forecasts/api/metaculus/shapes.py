"""The shapes of the platform's API: the requests that bots send, and the answers they read.

A field of a request that the ledger has no place for is refused, or, of a new post, named in the
answer (``not_kept``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from forecasts.api.v1.requests import MOST_FORECASTS, UsedModel
from forecasts.common.times import read_time

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


class Account(BaseModel):
    """A member."""

    id: int
    username: str
    is_bot: bool
    is_staff: bool = False


class NewBotAnswer(BaseModel):
    """A new bot and its token, which is shown once."""

    user: Account
    token: str


class Scaling(BaseModel):
    """The range of a question and the numbers at which its CDFs are given."""

    range_min: float | None = None
    range_max: float | None = None
    nominal_min: float | None = None
    nominal_max: float | None = None
    zero_point: float | None = None
    inbound_outcome_count: int | None = None
    continuous_range: list[float] | None = None


class MadeForecast(BaseModel):
    """A forecast from ``start_time`` to ``end_time``, in seconds since 1970."""

    question: int
    question_id: int
    author: int
    start_time: float
    end_time: float | None
    forecast_values: list[float | None]
    probability_yes: float | None = None
    probability_yes_per_category: dict[str, float | None] | None = None
    continuous_cdf: list[float] | None = None


class MyForecasts(BaseModel):
    """An account's forecasts on a question, oldest first, and their score."""

    history: list[MadeForecast] = []
    latest: MadeForecast | None = None
    score_data: dict[str, float] = {}


class Project(BaseModel):
    """The site, or a tournament: a tag."""

    id: int | None
    slug: str
    name: str
    type: str
    visibility: str = "normal"


class Projects(BaseModel):
    """The projects of a post."""

    default_project: Project = Project(
        id=SITE, slug="ledger", name="Forecast Ledger", type="site_main"
    )
    tournament: list[Project] = []
    category: list[Project] = []


class _Timed(BaseModel):
    """The stage and the times of a question, which its post has too."""

    id: int
    title: str
    status: Literal["upcoming", "open", "closed", "resolved"]
    created_at: datetime
    open_time: datetime
    scheduled_close_time: datetime
    actual_close_time: datetime | None
    scheduled_resolve_time: datetime
    actual_resolve_time: datetime | None


class PostedQuestion(_Timed):
    """A question as bots read it."""

    post_id: int
    type: str
    description: str
    resolution_criteria: str
    fine_print: str
    label: str = ""
    group_variable: str = ""
    options: list[str] | None
    unit: str
    scaling: Scaling
    open_lower_bound: bool | None
    open_upper_bound: bool | None
    inbound_outcome_count: int | None
    cp_reveal_time: datetime
    resolution: str | None
    resolution_set_time: datetime | None
    include_bots_in_aggregates: bool = True
    question_weight: float = 1.0
    my_forecasts: MyForecasts
    aggregations: dict[str, Any]


class QuestionGroup(BaseModel):
    """The questions of a family that share their texts."""

    id: int
    description: str
    resolution_criteria: str
    fine_print: str
    group_variable: str = ""
    questions: list[PostedQuestion]


class _Post(_Timed):
    slug: str
    short_title: str
    author_id: int
    author_username: str
    projects: Projects
    published_at: datetime
    curation_status: Literal["approved"] = "approved"
    resolved: bool
    nr_forecasters: int
    forecasts_count: int


class QuestionPost(_Post):
    """A post with one question."""

    question: PostedQuestion
    not_kept: dict[str, str] = Field(default_factory=dict)


class GroupPost(_Post):
    """A post with the questions of a family."""

    group_of_questions: QuestionGroup


class Page(BaseModel):
    """A page of posts, and the addresses of the next and the previous one."""

    count: int
    next: str | None
    previous: str | None
    results: list[QuestionPost | GroupPost]


class PostedComment(BaseModel):
    """A comment; ``forecast_id``: the forecast whose reasons it gives."""

    id: int
    on_post: int
    author: Account
    text: str
    created_at: datetime
    is_private: bool
    parent_id: None = None
    included_forecast: bool
    forecast_id: int | None
