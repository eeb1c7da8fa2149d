"""A model tried on one's own past questions, to see whether it would have forecast them better.

Each question is asked as of the member's first forecast on it: with the wording of that time, and
articles that were captured and published by then. The first, since the last one of a question that
closes early depends on its outcome; and questions whose scheduled close has passed, whether or not
they have an outcome, for the same reason.

The answers are proposals of calls, for the one who asked alone. None becomes a forecast: made with
hindsight, it would not be one. A model may know outcomes from its training, which only the day of
its last training data tells; forecasts made before that are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, func, select

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles.library import find_article
from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import read_time
from forecasts.ledger.models import (
    AnswerState,
    Article,
    Citation,
    Evidence,
    Forecast,
    Member,
    ModelAnswer,
    ModelCall,
    ModelProposal,
    Question,
    QuestionRevision,
    Visibility,
)
from forecasts.news.matches import LEAST, WINDOW
from forecasts.proposals.kinds import Checked, Kind, Material, Wanted
from forecasts.proposals.model_forecasts import (
    ARTICLES,
    checked_forecast,
    read_forecast,
    require_sendable,
    sent_question,
    wording_at,
)
from forecasts.proposals.prompts import ProposedForecast, sent_data
from forecasts.proposals.questions import read_content
from forecasts.questions import passages, registry
from forecasts.questions.standing import QuestionState, by_id

if TYPE_CHECKING:
    from forecasts.reports.comparison.comparison import Comparison

KIND = "trial"
CROWD = "the crowd"
_COMPARED = 200  # articles, the newest of the time, as in a turn to write
_TRIED = (AnswerState.answered, AnswerState.unusable)


@dataclass(frozen=True)
class Plan:
    """The questions to try a model on, the earliest forecast first, and those that are not.

    ``tried`` already; ``unsendable``: others' that not everyone may see; ``undated``: without the
    wording or the time of the forecast; ``known``: forecast before the model's last training data.
    """

    ready: tuple[Wanted, ...]
    tried: int = 0
    unsendable: int = 0
    undated: int = 0
    known: int = 0


def plan(
    session: Session,
    member: Member,
    model: str,
    *,
    now: datetime,
    only: Sequence[str] = (),
    trained: date | None = None,
) -> Plan:
    """Return the questions on which the model can be tried; ``only``: among those with these IDs.

    ``trained``: the day of the model's last training data.
    """
    chosen = {registry.find(session, slug).id for slug in only}
    tried = _tried(session, member, model)
    counts = dict.fromkeys(("tried", "unsendable", "undated", "known"), 0)
    ready: list[tuple[datetime, Wanted]] = []
    for state, first in _ended(session, member, now):
        text = state.text
        if only and state.id not in chosen:
            continue
        is_sendable = (
            text.visibility == Visibility.everyone or state.question.member_id == member.id
        )
        if state.id in tried:
            counts["tried"] += 1
        elif not is_sendable:
            counts["unsendable"] += 1
        elif first.claimed_at is not None or not _had_wording(session, state.id, first.made_at):
            counts["undated"] += 1
        elif trained is not None and first.made_at.date() <= trained:
            counts["known"] += 1
        else:
            ready.append((first.made_at, Wanted(KIND, question=state.slug, at=first.made_at)))
    ready.sort(key=lambda one: one[0])
    return Plan(tuple(wanted for _, wanted in ready), **counts)


def _tried(session: Session, member: Member, model: str) -> set[int | None]:
    """Return the questions on which the member has tried the model."""
    calls = select(ModelCall.about_id).join(
        ModelAnswer, col(ModelAnswer.model_call_id) == col(ModelCall.id)
    )
    own = (ModelCall.member_id == member.id, ModelCall.kind == KIND, ModelCall.model == model)
    return set(session.exec(calls.where(*own, col(ModelAnswer.state).in_(_TRIED))))


def _ended(session: Session, member: Member, now: datetime) -> list[tuple[QuestionState, Forecast]]:
    """Return the questions past their scheduled close, each with the member's first forecast."""
    place = func.row_number().over(
        partition_by=col(Forecast.question_id), order_by=(col(Forecast.made_at), col(Forecast.id))
    )
    ranked = select(Forecast.id, place.label("place")).where(Forecast.member_id == member.id)
    numbered = ranked.subquery().c
    ids = select(numbered.id).where(numbered.place == 1)
    rows = session.exec(select(Forecast).where(col(Forecast.id).in_(ids))).all()
    firsts = {row.question_id: row for row in rows}
    states = by_id(session, sorted(firsts), now=now)
    return [
        (state, firsts[id_])
        for id_, state in states.items()
        if state.text.scheduled_close_time <= now
    ]


def _had_wording(session: Session, question: int, at: datetime) -> bool:
    own = QuestionRevision.question_id == question
    found = select(QuestionRevision.id).where(own, col(QuestionRevision.recorded_at) <= at)
    return session.exec(found.limit(1)).first() is not None


def _require(session: Session, wanted: Wanted, member: Member, now: datetime) -> None:
    question = registry.find(session, wanted.question)
    roles.require(session, member, Action.forecast, question, now=now)
    text = registry.newest_wording(session, question)
    require_sendable(question, text, member)
    if wanted.at is None or text.scheduled_close_time > now:
        raise Refused(
            f"{question.slug!r} has not ended, so a model cannot be tried on it.",
            remedy="Try it on questions whose scheduled close has passed.",
        )


def _material(session: Session, wanted: Wanted, now: datetime) -> Material:
    """Return the wording of that time, and articles that were captured and published by then."""
    at = wanted.at or now
    question = registry.find(session, wanted.question)
    text = wording_at(session, question, at)
    chosen = _articles(session, question, text, at)
    return Material(sent_question(text, chosen, at), about_id=question.id)


def _articles(
    session: Session, question: Question, text: QuestionRevision, at: datetime
) -> list[Article]:
    """Return the articles of that time: those of the question, those cited on it, best matches."""
    # It loads SciPy, which a command without a trial needs not.
    from forecasts.news.matching import Text, Wording, questions_of

    of_question = [article for _, article in passages.sources(session, question)]
    cited = select(Evidence.article_id).join(
        Citation, col(Citation.evidence_id) == col(Evidence.id)
    )
    cited = cited.join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
    cited = cited.where(
        Forecast.question_id == question.id,
        col(Forecast.recorded_at) <= at,
        col(Evidence.article_id).is_not(None),
    )
    numbers = [one.id for one in of_question]
    numbers += [id_ for id_ in session.exec(cited.order_by(col(Forecast.id))) if id_ is not None]
    recent = session.exec(
        select(Article)
        .where(col(Article.captured_at) > at - WINDOW, col(Article.captured_at) <= at)
        .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
        .limit(_COMPARED)
    ).all()
    asked = Wording(text.title, text.resolution_criteria, text.open_time.date())
    found = questions_of((asked,)).matches(
        [Text(one.title, one.text) for one in recent], least=LEAST
    )
    best = sorted(found, key=lambda one: -one.score)
    numbers += [recent[one.article].id for one in best]
    every = (find_article(session, id_) for id_ in dict.fromkeys(numbers))
    return [one for one in every if _is_of(one, at)][:ARTICLES]


def _is_of(article: Article, at: datetime) -> bool:
    """Return whether an article was captured and published by that time."""
    return article.captured_at <= at and (
        article.published_at is None or article.published_at <= at
    )


def _check(session: Session, call: ModelCall, answer: ProposedForecast, now: datetime) -> Checked:
    question = session.get_one(Question, call.about_id)
    at = read_time(sent_data(call.request)["today"])
    return checked_forecast(call, answer, wording_at(session, question, at), at)


TRIAL = Kind(_require, _material, _check)


def result(
    session: Session, member: Member, model: str, *, now: datetime
) -> tuple[Comparison, int]:
    """Return how the model compares with the member and the crowd, and on how many questions.

    Each has one forecast on a question, as of the member's first; the crowd has none if nobody else
    had forecast by then, and on numbers and dates. BadInput without an answer to compare.
    """
    # These load pandas, which the other commands for a model need not.
    from forecasts.folder.frames import FORECAST_COLUMNS, typed_frame
    from forecasts.reports.comparison.build import build
    from forecasts.scores import crowds, ledger_frames  # which load it too

    answers = _answers(session, member, model)
    states = by_id(session, sorted(answers), now=now)
    frames = ledger_frames.ledger_frames(session, questions=[one.slug for one in states.values()])
    everyone, rows = frames.forecasts, list[dict[str, Any]]()
    for id_, state in states.items():
        at, typed = answers[id_]
        text = wording_at(session, state.question, at)
        value = read_forecast(typed, text, at).over(state.text.options)
        on = everyone[everyone["question_id"] == state.slug]
        mine = on[(on["forecaster"] == member.handle) & (on["made_at"] == at)]
        if mine.empty:
            continue
        common = {"question_id": state.slug, "made_at": at}
        rows.append({str(name): one for name, one in mine.iloc[0].items()} | common)
        rows.append(common | {"forecaster": model} | value.columns())
        others = on[(on["forecaster"] != member.handle) & (on["made_at"] <= at)]
        asked = frames.questions[frames.questions["question_id"] == state.slug]
        pooled = crowds.crowd(replace(frames, questions=asked, forecasts=others), at=at)
        for one in pooled.to_dict("records"):
            vector = [one[f"p{place}"] for place in range(len(state.text.options or ()))]
            said = {"probabilities": vector} if vector else {"probability": one["p"]}
            rows.append(common | {"forecaster": CROWD} | said)
    if not rows:
        raise BadInput(f"{model} has not been tried on a question of yours.")
    columns = {name: [row.get(name) for row in rows] for name in FORECAST_COLUMNS}
    columns["undated"] = [False] * len(rows)
    tried = replace(
        frames,
        forecasts=typed_frame(columns, FORECAST_COLUMNS),
        teams=frames.teams.iloc[:0],
        members=None,
        models=None,
        imported=None,
        resolved_alone=frozenset(),
    )
    between = [name for name in (model, member.handle, CROWD) if name in set(columns["forecaster"])]
    return build(tried, between=between, of="forecasters", as_of=now), len(states)


def _answers(session: Session, member: Member, model: str) -> dict[int, tuple[datetime, str]]:
    """Return the newest answer of the model on each question: its time, and the forecast."""
    rows = session.exec(
        select(ModelCall, ModelProposal)
        .join(ModelProposal, col(ModelProposal.model_call_id) == col(ModelCall.id))
        .where(ModelCall.member_id == member.id, ModelCall.kind == KIND, ModelCall.model == model)
        .order_by(col(ModelProposal.id))
    )
    found: dict[int, tuple[datetime, str]] = {}
    for call, proposal in rows:
        fields = read_content(proposal)
        if fields and call.about_id is not None:
            found[call.about_id] = read_time(sent_data(call.request)["today"]), fields["forecast"]
    return found
