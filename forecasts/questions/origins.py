"""Where imported questions come from: the platform, its id for the question, and the address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible
from forecasts.ledger.current import in_order
from forecasts.ledger.models import QuestionOrigin
from forecasts.questions.standing import in_batches

# Platforms as they write themselves, where that is not the name with a capital.
_NAMES = {
    "forecastbench": "ForecastBench",
    "forecasting-tools": "forecasting-tools",
    "infer": "INFER",
    "pairs": "Spreadsheet",
    "predictionbook": "PredictionBook",
}


def origins(session: Session, ids: Sequence[int]) -> dict[int, list[QuestionOrigin]]:
    """Return the origins of the visible questions with these ids, by id, in the order imported.

    Questions asked in this ledger have none.
    """
    found: defaultdict[int, list[QuestionOrigin]] = defaultdict(list)
    for some in in_batches(ids):
        of_these = col(QuestionOrigin.question_id).in_(some)
        visible = question_visible(session, QuestionOrigin.question_id)
        for row in in_order(session, QuestionOrigin, of_these, visible):
            found[row.question_id].append(row)
    return dict(found)


def platforms(session: Session) -> list[str]:
    """Return the platforms that visible questions were imported from, in alphabetical order."""
    return list(
        session.exec(
            select(QuestionOrigin.platform)
            .where(question_visible(session, QuestionOrigin.question_id))
            .distinct()
            .order_by(QuestionOrigin.platform)
        )
    )


def platform_name(platform: str) -> str:
    """Return a platform's name as it is written: 'Metaculus', 'INFER'."""
    return _NAMES.get(platform, platform[:1].upper() + platform[1:])


def platform_named(name: str) -> str:
    """Return the platform that has this name, as the ledger stores it.

    >>> platform_named("Spreadsheet"), platform_named("Metaculus")
    ('pairs', 'metaculus')
    """
    return {shown.lower(): key for key, shown in _NAMES.items()}.get(name.lower(), name.lower())


def in_words(platform: str, id_: str = "") -> str:
    """Return a platform's name within a sentence, with its id for a question.

    >>> in_words("metaculus", "7"), in_words("pairs", "7")
    ('Metaculus 7', 'a spreadsheet')
    """
    return "a spreadsheet" if platform == "pairs" else f"{platform_name(platform)} {id_}".strip()
