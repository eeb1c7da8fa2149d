"""A question as JSON, in a list and in full. docs/json.md documents the fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.ledger.models import Citation, Evidence, Forecast, ModelUse
from forecasts.questions.origins import origins
from forecasts.questions.passages import sources
from forecasts.questions.revisions import history as wordings
from forecasts.questions.standing import QuestionState
from forecasts.resolution.history import steps
from forecasts.scores.printed_scores import Printed, printed_scores
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.scores.stored_scores import score_table
from forecasts.updates.comments import by_forecast, reasons, remarks
from forecasts.updates.model_uses import models_of
from forecasts.updates.updates import Only, evidence_of, history


def question_fields(state: QuestionState) -> dict[str, Any]:
    """Return a question for JSON (docs/json.md)."""
    text, resolution = state.text, state.resolution
    known_at: datetime | None = None if resolution is None else resolution.known_at
    return {
        "number": state.id,
        "id": state.slug,
        "title": text.title,
        "type": text.type,
        "status": state.status.name,
        "options": text.options,
        "lower_bound": text.lower_bound,
        "upper_bound": text.upper_bound,
        "unit": text.unit,
        "open_time": text.open_time,
        "close_time": text.close_time,
        "scheduled_close_time": text.scheduled_close_time,
        "family": text.family,
        "tags": text.tags or [],
        "has_criteria": text.has_criteria,
        "outcome": None if resolution is None else resolution.outcome,
        "known_at": known_at,
    }


def forecast_fields(forecast: Forecast | None) -> dict[str, Any] | None:
    """Return a forecast for JSON (docs/json.md), None without one."""
    return (
        None
        if forecast is None
        else {
            "made_at": forecast.made_at,
            "probability": forecast.probability,
            "probabilities": forecast.probabilities,
            "quantiles": forecast.quantiles,
            "withdrawn": forecast.withdrawn,
        }
    )


def everything_about(session: Session, state: QuestionState) -> dict[str, Any]:
    """Return everything about a question, for JSON (docs/json.md)."""
    resolution = state.resolution
    return question_document(session, state) | {
        "forecasts": forecast_documents(session, state),
        "scores": [] if resolution is None else score_table(session, resolution),
        "printed_scores": printed_fields(printed_scores(session, state)),
    }


def question_document(session: Session, state: QuestionState) -> dict[str, Any]:
    """Return a question with origins, wordings and resolutions, without forecasts and scores."""
    text, named = state.text, handles(session)
    return question_fields(state) | {
        "background": text.background,
        "resolution_criteria": text.resolution_criteria,
        "fine_print": text.fine_print,
        "origins": [
            {"platform": one.platform, "id": one.platform_id, "url": one.url or None}
            for one in origins(session, [state.id]).get(state.id, [])
        ],
        "sources": [
            {
                "article": article.id,
                "title": article.title,
                "url": article.url,
                "quote": source.quote,
            }
            for source, article in sources(session, state.question)
        ],
        "wordings": [
            {
                "number": row.number,
                "title": row.title,
                "member": named[row.member_id],
                "recorded_at": row.recorded_at,
                "reason": row.reason,
            }
            for row in wordings(session, state.question)
        ],
        "resolutions": [
            {
                "state": step.row.state,
                "outcome": step.row.outcome,
                "known_at": step.row.known_at,
                "recorded_at": step.row.recorded_at,
                "member": step.actor,
                "note": step.row.note,
                "source": step.row.source,
                "superseded": step.superseded,
            }
            for step in reversed(steps(session, state.question))
        ],
    }


def forecast_documents(
    session: Session, state: QuestionState, *, only: Only = None
) -> list[dict[str, Any]]:
    """Return the visible forecasts on a question with their reasons, oldest first.

    ``only``: those with these numbers.
    """
    cited = evidence_of(session, state.question, only=only)
    explained = by_forecast(remarks(session, state.question))
    models = models_of(session, state.question, only=only)
    return [
        {"number": row.id, "member": handle}
        | (forecast_fields(row) or {})
        | {
            "rationale": "\n\n".join(reasons(row, explained)),
            "evidence": [evidence_fields(*one) for one in cited.get(row.id, [])],
            "model": _model_fields(models.get(row.id)),
        }
        for row, handle in history(session, state.question, only=only)
    ]


def evidence_fields(citation: Citation, evidence: Evidence) -> dict[str, Any]:
    """Return a piece of evidence as a forecast cites it, for JSON (docs/json.md)."""
    return {
        "stance": citation.stance,
        "share": citation.share,
        "kind": evidence.kind,
        "title": evidence.title,
        "url": evidence.url,
        "note": evidence.note,
    }


def _model_fields(used: ModelUse | None) -> dict[str, Any] | None:
    names = (
        *("name", "version", "prompt_hash", "temperature"),
        *("cost", "tokens", "seconds", "tools"),
    )
    return None if used is None else {name: getattr(used, name) for name in names}


def scored_fields(one: ScoredQuestion) -> dict[str, Any]:
    """Return a question with the member's score and updates, for JSON (docs/json.md)."""
    return _resolved_fields(one.state) | {
        "protocol": one.score.protocol,
        "score": one.score.score,
        "coverage": one.score.coverage,
        "against_crowd": one.against_crowd,
        "earned": one.points,
        "forecasts": [
            {
                "value": each.value,
                "probability": each.probability,
                "from": each.since,
                "days": each.duration.total_seconds() / 86_400,
                "score": each.score,
                "earned": each.points,
            }
            for each in one.forecasts
        ],
    }


def unscored_fields(state: QuestionState) -> dict[str, Any]:
    """Return the same fields for a question on which the ledger has no score of the member."""
    blank = dict.fromkeys(("protocol", "score", "coverage", "against_crowd", "earned"))
    return _resolved_fields(state) | blank | {"forecasts": []}


def _resolved_fields(state: QuestionState) -> dict[str, Any]:
    resolution = state.resolution
    assert resolution is not None
    return {
        "number": state.id,
        "id": state.slug,
        "title": state.text.title,
        "outcome": resolution.outcome,
        "known_at": resolution.known_at,
        "resolved_at": resolution.recorded_at,
    }


def printed_fields(printed: Sequence[Printed]) -> list[dict[str, Any]]:
    """Return printed scores for JSON (docs/json.md)."""
    return [asdict(one) for one in printed]
