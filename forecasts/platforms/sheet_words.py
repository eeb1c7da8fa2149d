"""The words of spreadsheets in English, German, French and Spanish: headers, totals and outcomes.

Headers are written as ``plain`` returns them, outcomes as ``unaccented``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence


def _words(text: str) -> Sequence[str]:
    return text.split()


# Our fields with the usual names of their columns: English first, then other languages.
USUAL: Mapping[str, Sequence[str]] = {
    "question_id": ("question_id", "questionid", "qid", "market_id", "frage_id"),
    "title": (
        *("title", "question", "question_title", "question_text", "statement", "event"),
        *("frage", "aussage", "titel", "pregunta"),
    ),
    "forecaster": (
        *("forecaster", "user", "user_id", "username", "user_name", "member", "person"),
        *("predictor", "participant", "expert", "model"),
        *("teilnehmer", "mitglied", "nutzer", "benutzer", "experte", "modell"),
        *("personne", "persona"),
    ),
    "probability": (
        *("probability", "prob", "p", "forecast", "prediction", "predicted", "estimate"),
        *("confidence", "chance", "credence", "probability_yes", "p_yes"),
        *("wahrscheinlichkeit", "prognose", "vorhersage", "schatzung"),
        *("probabilite", "prevision", "probabilidad", "pronostico", "prediccion"),
    ),
    "outcome": (
        *("outcome", "result", "resolution", "resolved_to", "actual", "answer", "y"),
        *("came_true", "happened"),
        *("ergebnis", "ausgang", "eingetreten", "antwort", "resultat", "resultado"),
    ),
    "made_at": (
        *("made_at", "forecast_date", "forecast_time", "forecasted_at", "predicted_at"),
        *("prediction_date", "timestamp", "date", "day", "time"),
        *("datum", "prognosedatum", "zeitpunkt", "zeitstempel", "fecha"),
    ),
    "open_time": (
        *("open_time", "open_date", "opened", "asked_at", "asked", "start_date"),
        *("eroffnet", "gestellt", "gestellt_am", "beginn", "startdatum"),
    ),
    "close_time": (
        *("close_time", "close_date", "closes", "closed", "scheduled_close_time", "deadline"),
        *("due", "due_date", "resolve_by", "end_date"),
        *("frist", "stichtag", "fallig", "fallig_am", "ende", "enddatum"),
        *("echeance", "date_limite", "plazo", "fecha_limite"),
    ),
    "resolved_at": (
        *("resolved_at", "resolve_time", "resolution_date", "resolution_time", "resolved_on"),
        *("resolved_date", "date_resolved"),
        *("aufgelost_am", "entschieden_am", "ergebnisdatum"),
    ),
    "family": ("family", "event_id", "group", "familie", "gruppe"),
    "tags": ("tags", "tag", "category", "topic", "kategorie", "thema", "categorie", "categoria"),
    "rationale": (
        *("rationale", "reasoning", "reason", "comment", "notes"),
        *("begrundung", "kommentar", "notizen", "commentaire", "comentario"),
    ),
}
# Names of the forecaster's column only beside the question's title; without one, they could be it.
PEOPLE = _words(
    "name full_name display_name who forecaster_name predictor_name person_name participant_name "
    "forecast_by predicted_by author respondent wer nom nombre"
)
# Names of rows and columns that sum up the others.
SUMMARIES = _words(
    "total totals sum average averages avg mean median count crowd consensus aggregate summe "
    "gesamt durchschnitt mittelwert moyenne promedio"
)
DAY = "tag"  # the German for a day, if the cells are dates
# Of a column of days, or of yes and no: then it says whether a question resolved, perhaps not how.
RESOLVED = _words("resolved is_resolved aufgelost entschieden resolu resolue resuelta resuelto")

YES = _words("yes y true t 1 ja j wahr oui vrai si verdadero")
NO = _words("no n false f 0 nein falsch non faux falso")
_OPEN = _words(
    "open pending unresolved unknown tbd ? - offen ausstehend unbekannt ouvert pendiente"
)
_ANNULLED = _words("annulled void voided n/a annulliert ungultig annule anulada")
# Other outcomes.
OTHERS: Mapping[str, str] = {
    **dict.fromkeys(("", "pendiente", *_OPEN), ""),
    **dict.fromkeys(_ANNULLED, "annulled"),
    **dict.fromkeys(("ambiguous", "mehrdeutig"), "ambiguous"),
}


def plain(words: str) -> str:
    """Return words as the tables have them.

    >>> plain(" Résolu ? "), plain("Fällig am:")
    ('resolu', 'fallig_am')
    """
    return re.sub(r"[^a-z0-9]+", "_", unaccented(words)).strip("_")


def unaccented(words: str) -> str:
    """Return words in lower case without accents: "sí" as "si", "Schätzung" as "schatzung"."""
    parts = unicodedata.normalize("NFKD", words)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


_SPACES = " \u00a0\u202f"  # before a percent character
_COMMA = re.compile(r"(-?\d{1,3}),(\d+)")
# In a file with commas between its columns, 1,234 is more likely a number of thousands.
_SURE_COMMA = re.compile(r"(-?0|-?\d{1,3}(?=,\d{1,2}$|,\d{4,}$)),(\d+)")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(\D.*)?", re.ASCII | re.DOTALL)


def without_percent(cell: str) -> tuple[str, bool]:
    """Return a cell without a percent character at its end, and whether it had one."""
    bare = cell.strip()
    return bare.rstrip(f"%{_SPACES}"), bare.endswith("%")


def decimal_point(cell: str, separator: str) -> str:
    """Return a cell with a point for a decimal comma; ``separator``: of the file's columns."""
    found = (_SURE_COMMA if separator == "," else _COMMA).fullmatch(cell)
    return cell if found is None else f"{found[1]}.{found[2]}"


def day_first(text: str) -> str:
    """Return a text in which a day such as 5.3.2025 is written 2025-03-05, also before a time.

    >>> day_first("5.3.2025 14:00"), day_first("5/3/2025")
    ('2025-03-05 14:00', '5/3/2025')
    """
    found = _DOTTED.fullmatch(text)
    if found is None:
        return text
    day, month, year, rest = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}{rest or ''}"
