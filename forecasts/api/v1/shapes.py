"""The shapes of the answers, for the OpenAPI document. docs/api.md explains them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """One fault in a request: its place, the value there, and the rule it breaks."""

    place: str
    value: str
    rule: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457): its kind, the sentence, and the remedy."""

    title: str
    code: str = Field(
        description="for programs: `not_open`, `closed` or `resolved` (the question takes no "
        "forecasts), `no_forecast` (there is none to withdraw), `key_reused` (the Idempotency-Key "
        "came with another request); otherwise the title with `_` for each space"
    )
    status: int
    detail: str
    remedy: str
    problems: list[Problem]


class Receipt(BaseModel):
    """The entry of a forecast in the chain of hashes; ``forecasts verify --receipt`` proves it."""

    ledger: str
    place: int
    kind: str
    row_id: int
    row: str
    question: int
    number: int
    before: str
    previous: str
    at: str | None
    hash: str


class Value(BaseModel):
    """A forecast's value; all three are null for a withdrawal."""

    made_at: datetime
    probability: float | None
    probabilities: list[float | None] | None
    quantiles: dict[str, float | str] | None
    withdrawn: bool


class Made(Value):
    """A forecast that was just made."""

    number: int
    question: str
    member: str
    receipt: Receipt


class BatchRow(BaseModel):
    """The result of one forecast of a batch: its number and receipt, or its refusal."""

    number: int | None
    receipt: Receipt | None
    problem: ProblemDocument | None


class BatchResult(BaseModel):
    """The results of a batch, in its order."""

    accepted: int
    refused: int
    results: list[BatchRow]


class Evidence(BaseModel):
    """A piece of evidence as one forecast cites it."""

    stance: str
    share: float | None
    kind: str
    title: str
    url: str | None
    note: str


class Model(BaseModel):
    """The model that made a forecast."""

    name: str
    version: str | None
    prompt_hash: str | None
    temperature: float | None
    cost: float | None
    tokens: int | None
    seconds: float | None
    tools: list[str] | None


class Forecast(Value):
    """A forecast with its reasons."""

    number: int
    member: str
    rationale: str
    evidence: list[Evidence]
    model: Model | None


class Forecasts(BaseModel):
    """A page of the forecasts on a question that the caller may see, oldest first."""

    forecasts: list[Forecast]
    next: str | None
    crowd_hidden: bool = Field(description="others' are hidden until the caller has forecast")


class CitedEvidence(Evidence):
    """A piece of evidence with the forecast that cites it."""

    forecast: int
    member: str


class EvidenceList(BaseModel):
    """A page of the evidence on a question that the caller may see."""

    evidence: list[CitedEvidence]
    next: str | None


class Question(BaseModel):
    """A question in a list, with the caller's current forecast."""

    number: int
    id: str
    title: str
    type: str
    status: str
    options: list[str] | None
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    open_time: datetime
    close_time: datetime
    scheduled_close_time: datetime
    family: str
    tags: list[str]
    has_criteria: bool
    outcome: str | None
    known_at: datetime | None
    forecast: Value | None


class Questions(BaseModel):
    """A page of questions; ``next`` is the cursor of the next page, null on the last."""

    questions: list[Question]
    matching: int
    next: str | None


class Source(BaseModel):
    """A passage that a question is taken from."""

    article: int
    title: str
    url: str | None
    quote: str


class Origin(BaseModel):
    """The platform that a question was imported from, its id and its address there."""

    platform: str
    id: str
    url: str | None


class Wording(BaseModel):
    """One wording of a question."""

    number: int
    title: str
    member: str
    recorded_at: datetime
    reason: str


class ResolutionStep(BaseModel):
    """One step in the resolution of a question."""

    state: str
    outcome: str
    known_at: datetime | None
    recorded_at: datetime
    member: str
    note: str
    source: str
    superseded: bool


class QuestionDocument(Question):
    """A question with its origins, its wordings, its sources and the steps of its resolution."""

    background: str
    resolution_criteria: str
    fine_print: str
    origins: list[Origin]
    sources: list[Source]
    wordings: list[Wording]
    resolutions: list[ResolutionStep]


class LateForecasts(BaseModel):
    """The forecasts made when the outcome was known, and the number of their members."""

    forecasts: int
    members: int


class Resolved(QuestionDocument):
    """A question just resolved, and the forecasts that no longer count."""

    no_longer_count: LateForecasts


class Draft(BaseModel):
    """A possible question in an article."""

    number: int
    quote: str
    start: int
    end: int
    question: str | None
    close_date: str | None
    strength: str
    reason: str
    told: str
    type: str
    options: list[str] | None
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    asked: list[str]
    like: str | None


class Article(BaseModel):
    """An article in a list."""

    number: int
    title: str
    publisher: str | None
    author: str | None
    published_at: str | None
    url: str | None


class ArticleDocument(Article):
    """An article with its text and the possible questions in it."""

    text: str
    drafts: list[Draft]


class Articles(BaseModel):
    """A page of articles, the newest capture first."""

    articles: list[Article]
    next: str | None


class Captured(BaseModel):
    """The captured articles; ``left_out`` names pieces of the page that were not stored."""

    articles: list[ArticleDocument]
    left_out: list[str]


class Member(BaseModel):
    """A member; a bot has an owner."""

    handle: str
    kind: str
    owner: str | None
    role: str | None
    teams: dict[str, str]


class Members(BaseModel):
    """A page of members, by handle."""

    members: list[Member]
    next: str | None


class EnteredLater(BaseModel):
    """An entry made at `entered_at`: forecasts count since `since`; null: from the beginning."""

    since: datetime | None
    entered_at: datetime


class TeamMember(BaseModel):
    """A member's place in a team; `entered_later` if forecasts count from an earlier time."""

    handle: str
    role: str
    entered_later: EnteredLater | None


class Team(BaseModel):
    """A team with its current members."""

    name: str
    second_resolver: bool
    members: list[TeamMember]


class Teams(BaseModel):
    """The teams, by name."""

    teams: list[Team]


class Me(BaseModel):
    """The caller and their token."""

    handle: str
    kind: str
    owner: str | None
    scopes: list[str]
    expires_at: datetime | None
    ledger: str = Field(description="the ledger's id, as in receipts")


class ScoredForecast(BaseModel):
    """A forecast's part of a score."""

    model_config = {"populate_by_name": True}

    value: str
    probability: float | None
    from_: datetime = Field(alias="from")
    days: float
    score: float | None
    earned: float | None


class Scored(BaseModel):
    """A resolved question with the caller's score."""

    number: int
    id: str
    title: str
    outcome: str
    known_at: datetime | None
    resolved_at: datetime
    protocol: str
    score: float
    coverage: float
    against_crowd: float | None
    earned: float | None
    forecasts: list[ScoredForecast]


class Scores(BaseModel):
    """A page of the caller's scores on resolved questions, the latest first."""

    scores: list[Scored]
    next: str | None


class Rows(BaseModel):
    """A page of a table's rows, as from the command line (docs/json.md)."""

    rows: list[dict[str, Any]]
    next: str | None


class Digest(BaseModel):
    """The digest of the ledger's newest entry."""

    ledger: str
    digest: str
    at: datetime
