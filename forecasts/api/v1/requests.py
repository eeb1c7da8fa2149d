"""The bodies that callers send. Beyond a field's type, its rules are in the verbs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any

from fastapi import Path
from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from forecasts.common.times import iso
from forecasts.ledger.models import (
    EvidenceKind,
    GroupKind,
    LinkKind,
    LinkStrength,
    Question,
    QuestionType,
    Stance,
)
from forecasts.questions.groups import member_title
from forecasts.questions.revisions import MAX_QUESTIONS
from forecasts.updates.ask_together import member_close
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.model_uses import Model
from forecasts.updates.updates import NewForecast
from forecasts.values.asked_type import decided_type
from forecasts.values.outcomes import format_figure
from forecasts.values.typed_dates import iso_date, last_moment, read_date
from forecasts.values.value import Value

ORIGIN = "api"  # of forecasts
_VALUES = ("probability", "probabilities", "quantiles")
MOST_FORECASTS = 10_000  # of one batch: others cannot write meanwhile


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("Write a time as ISO 8601 with an offset, such as 2027-03-31T12:00:00Z.")
    return value


def _when(value: str) -> str:
    """Return a day or time as typed; one in ISO 8601 has an offset here too."""
    return str(_moment(value)) if _DAY_AND_TIME.match(value) else value


def _in_range(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("Write a time within the years 1 to 9999 in UTC.") from None


# As JSON has them: a text is not a number, and a number is not a time.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)
_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d")
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]
Amount = Annotated[Number, Field(ge=0, lt=2**31)]
Flag = Annotated[bool, Field(strict=True)]
Bound = Number | str
# A number where a text is meant: 42 for an outcome, 3 for a question.
Name = Annotated[Whole | str, AfterValidator(str)]
Named = Annotated[str, Path(description="The question's id or number.")]
When = Annotated[str, AfterValidator(_when)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_range)]


class Body(BaseModel):
    """A request's body: an unknown field is refused, since it may be a mistyped one."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _each_field_once(cls, given: Any) -> Any:
        for of in cls.model_fields.values() if isinstance(given, dict) else ():
            if isinstance(of.validation_alias, AliasChoices):
                one, other = map(str, of.validation_alias.choices)
                if one in given and other in given:
                    raise ValueError(f"{one} and {other} are one field: give it once.")
        return given


class GivenEvidence(Body):
    """A piece of evidence: an address, a title or a note."""

    url: str | None = None
    note: str = ""
    title: str = ""
    kind: EvidenceKind = EvidenceKind.news
    publisher: str | None = None
    published_at: Moment | None = None
    quote: str = ""
    stance: Stance | None = Field(default=None, description="by default as your forecast moves")
    share: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        default=None, description="of the update, from 0 to 1"
    )


class UsedModel(Body):
    """The model that made the forecast."""

    name: str
    version: str | None = None
    prompt_hash: str | None = None
    temperature: Amount | None = None
    cost: Amount | None = Field(default=None, description="in US dollars")
    tokens: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="read and written"
    )
    seconds: Amount | None = None
    tools: list[str] | None = None


class Stated(Body):
    """A value in one of three forms, with the rationale."""

    probability: Number | None = Field(default=None, description="of yes, from 0 to 1")
    probabilities: list[Number] | None = Field(
        default=None, description="one for each option, in their order; their sum is 1"
    )
    quantiles: dict[str, Number | str] | None = Field(
        default=None,
        description='figures by level, such as {"0.1": 120, "0.5": 140}; "below" and "above": the '
        "probabilities outside the bounds",
    )
    rationale: str = ""

    @property
    def every_given(self) -> list[str]:
        """The names of the fields with a value."""
        return [name for name in _VALUES if getattr(self, name) is not None]

    @property
    def value(self) -> Value:
        """The value for the verbs."""
        vector = self.probabilities
        return Value(self.probability, None if vector is None else tuple(vector), self.quantiles)

    @property
    def reasons(self) -> dict[str, Any]:
        """The other keywords of the verbs."""
        return {"rationale": self.rationale, "evidence": [], "model": None}


class GivenForecast(Stated):
    """A forecast: exactly one of the three values, with its reasons."""

    evidence: list[GivenEvidence] = Field(default=[], description="at most 100 pieces")
    model: UsedModel | None = None

    @model_validator(mode="after")
    def _one_value(self) -> GivenForecast:
        if len(self.every_given) != 1:
            raise ValueError("Give exactly one of probability, probabilities and quantiles.")
        return self

    def on(self, question: Question) -> NewForecast:
        """Return the forecast for the verbs."""
        return NewForecast(question, self.value, **self.reasons)

    @property
    def reasons(self) -> dict[str, Any]:
        """The other keywords of the verbs: rationale, evidence and model."""
        return {
            "rationale": self.rationale,
            "evidence": [CitedEvidence(**dict(one)) for one in self.evidence],
            "model": None if self.model is None else Model(**dict(self.model)),
        }


class BatchForecast(GivenForecast):
    """A forecast of a batch, which names its question."""

    question: Name = Field(description="the question's id or number")


Row = Annotated[BatchForecast | dict[str, Any], Field(union_mode="left_to_right")]


class Batch(Body):
    """Several forecasts: all or none, or with ``partial`` those that the rules allow."""

    forecasts: list[Row] = Field(
        max_length=MOST_FORECASTS, description="an object of another form is refused as a row"
    )
    partial: Flag = False


class Withdrawal(Body):
    """The end of a forecast, with its reason."""

    rationale: str = ""


def _called(name: str, answered: str, default: Any = None, **about: Any) -> Any:
    """Return a field with the name that commands and tools give it, or as answers have it."""
    return Field(default=default, validation_alias=AliasChoices(name, answered), **about)


class Wording(Body):
    """The wording of new questions; without criteria and audience only their author sees them."""

    title: str = Field(description="the question in one sentence, with its last day")
    type: QuestionType | None = Field(
        default=None,
        description="by default multiple_choice with options; with bounds date if the title asks "
        "for a day, else numeric; else binary",
    )
    options: list[str] | None = None
    ordered: Flag = False
    lower_bound: Bound | None = _called("lower", "lower_bound")
    upper_bound: Bound | None = _called("upper", "upper_bound")
    unit: str | None = None
    open_time: When | None = _called("opens", "open_time", description="by default now")
    scheduled_close_time: When | None = _called(
        "closes",
        "scheduled_close_time",
        description="last day (or time) to forecast; by default the day that the title names",
    )
    scheduled_resolve_time: When | None = _called("resolves", "scheduled_resolve_time")
    family: str = ""
    tags: list[str] | None = None
    background: str = ""
    resolution_criteria: str = _called("criteria", "resolution_criteria", "")
    fine_print: str = ""
    crowd_hidden: Flag = _called("hide_crowd", "crowd_hidden", False)
    visible_to: str | None = Field(default=None, description="everyone, me, or a team's name")
    article: Whole | None = Field(default=None, description="the number of its source article")
    quote: str = Field(default="", description="the article's passage that it is taken from")

    def fields(self, *, now: datetime, zone: tzinfo | None) -> dict[str, Any]:
        """Return the wording's fields; BadInput for a date that cannot be read, or no close."""
        others = {"visible_to", "id", "article", "quote", "forecast", "kind", "members", "outcomes"}
        has_bounds = (self.lower_bound, self.upper_bound) != (None, None)
        kind = decided_type(self.title, self.type, options=bool(self.options), bounds=has_bounds)

        def bound(given: Bound | None, *, first: bool = False) -> str | None:
            if given is None:
                return None
            if kind == QuestionType.date:
                return iso_date(str(given), now=now, zone=zone, first=first)
            return format_figure(given)

        return self.model_dump(exclude=others) | {
            "type": kind,
            "lower_bound": bound(self.lower_bound, first=True),
            "upper_bound": bound(self.upper_bound),
            "open_time": _time(self.open_time, now, zone, end_of_day=False) or now,
            "scheduled_close_time": last_moment(
                self.scheduled_close_time or "", self.title, now=now, zone=zone
            ),
            "scheduled_resolve_time": _time(self.scheduled_resolve_time, now, zone),
        }


class JudgedWording(Wording):
    """The wording of a question to judge; any field but the title may be missing."""


class NewQuestion(Wording):
    """A new question; without criteria and audience only its author sees it."""

    id: str | None = Field(default=None, description="by default made from the title")
    forecast: GivenForecast | None = Field(default=None, description="a first forecast")


class NewMember(Body):
    """A member of a new group: its label and close, and a first forecast."""

    label: str
    scheduled_close_time: When | None = _called(
        "closes", "scheduled_close_time", description="by default that of the group, or its label"
    )
    forecast: GivenForecast | None = Field(default=None, description="a first forecast")


class NewGroup(Wording):
    """A new group: the wording that its questions share, and each with its label."""

    kind: GroupKind = GroupKind.independent
    members: list[NewMember] = Field(max_length=MAX_QUESTIONS, description="two or more, in order")
    id: str | None = Field(default=None, description="by default made from the title")

    def wording(self, member: NewMember, *, now: datetime, zone: tzinfo | None) -> dict[str, Any]:
        """Return the wording's fields of a member, as ``fields`` does."""
        closes = member.scheduled_close_time or self.scheduled_close_time or ""
        close = member_close(closes, self.title, member.label, now=now, zone=zone)
        title = member_title(self.title, member.label)
        given = {"title": title, "scheduled_close_time": iso(close)}
        return self.model_copy(update=given).fields(now=now, zone=zone)


class GroupChange(Body):
    """Another title or kind of a group."""

    title: str | None = None
    kind: GroupKind | None = None


class AddedMember(Body):
    """A question to add to a group, with its label there."""

    question: Name
    label: str
    before: Name | None = Field(default=None, description="by default it is the last one")


class GivenBranch(Body):
    """An outcome under which a question is asked, with a first forecast."""

    outcome: str
    forecast: GivenForecast | None = Field(default=None, description="a first forecast")


class NewConditional(Wording):
    """A question to ask under each outcome of another."""

    outcomes: list[GivenBranch] = Field(
        default=[],
        max_length=MAX_QUESTIONS,
        description="of the other question: yes, no, an option, or a range of a number or date; "
        "by default yes and no, or each option",
    )


class LinkEnds(Body):
    """A link, by its questions and its kind."""

    kind: LinkKind
    other: Name


class NewLink(LinkEnds):
    """A link from a question to another."""

    strength: LinkStrength = LinkStrength.strong
    reason: str = ""


class Revision(Body):
    """The fields of a question to change; the others stay."""

    title: str | None = None
    options: list[str] | None = Field(default=None, description="new ones before the last one")
    scheduled_close_time: When | None = _called("closes", "scheduled_close_time")
    scheduled_resolve_time: When | None = _called("resolves", "scheduled_resolve_time")
    family: str | None = None
    tags: list[str] | None = None
    background: str | None = None
    resolution_criteria: str | None = _called("criteria", "resolution_criteria")
    fine_print: str | None = None
    crowd_hidden: Flag | None = _called("hide_crowd", "crowd_hidden")
    visible_to: str | None = Field(default=None, description="everyone, me, or a team's name")
    reason: str = ""

    def fields(self, *, now: datetime, zone: tzinfo | None) -> dict[str, Any]:
        """Return the fields to change; BadInput for a date that cannot be read."""
        given = self.model_dump(exclude={"visible_to", "reason"}, exclude_none=True)
        for name in ("scheduled_close_time", "scheduled_resolve_time"):
            if name in given:
                given[name] = _time(given[name], now, zone)
        return given


def _time(
    typed: str | None, now: datetime, zone: tzinfo | None, *, end_of_day: bool = True
) -> datetime | None:
    return None if typed is None else read_date(typed, now=now, zone=zone, end_of_day=end_of_day)


class Close(Body):
    """The early close of a question."""

    at: Moment | None = Field(default=None, description="by default now")


def _outcome(given: str | float | bool) -> str:
    """Return an outcome as text: true is yes, and false is no."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    return format_figure(given)


class Outcome(Body):
    """An outcome with its note and source, of which a proposal needs one or both."""

    outcome: Annotated[str | Number | Flag, AfterValidator(_outcome)]
    known_at: Moment | None = Field(
        default=None, description="when it became known; later forecasts do not count"
    )
    note: str = ""
    source: str = Field(default="", description="the address of the page that reports it")


class Because(Body):
    """The reason for a decision."""

    reason: str


class Upheld(Body):
    """A decision that may have a reason."""

    reason: str = ""


class AboutQuestion(Body):
    """A question that an article bears on."""

    question: Name = Field(description="the question's id or number")


class Dismissal(AboutQuestion):
    """An article that does not bear on a question."""

    kind: Flag = Field(
        default=False,
        description="true: suggest no others that share only these words with it",
    )


class Acceptance(AboutQuestion, Stated):
    """An update that cites an article, with at most one of the three values.

    Without a value, your forecast is unchanged.
    """

    stance: Stance | None = Field(default=None, description="by default as the forecast moves")

    @model_validator(mode="after")
    def _one_value(self) -> Acceptance:
        if len(self.every_given) > 1:
            raise ValueError("Give at most one of probability, probabilities and quantiles.")
        return self


class NewFeed(Body):
    """A feed to add: its address, or that of a site."""

    url: str
    title: str = ""


class OldFeed(Body):
    """A feed to remove."""

    feed: str = Field(description="its number in your list, its address or its title")


class Capture(Body):
    """An article to capture: its address, or its text."""

    url: str | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Capture:
        if (self.url is None) == (self.text is None):
            raise ValueError("Give either url or text.")
        return self
