"""The columns of a spreadsheet: as chosen, or by their usual names.

A choice is ``ours=theirs``: ``probability=prob1``. A wide sheet has a column for each forecaster,
date or option: ``forecaster:alice=Alice S.``, ``made_at:2025-10-30=Oct 30``, ``option:tie=p_tie``.
Several columns together can name a question: ``title=state+candidate``. A blank choice means no
column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.errors import Advice, BadInput, Remedy
from forecasts.folder.tables import Table
from forecasts.platforms.record import Mask

# The fields that a sheet should have, and the effect of a missing one.
_SOUGHT: Mapping[str, str] = {
    "probability": "required;",
    "title": "without it, each row is a question",
    "outcome": "without it, every question is open",
    "forecaster": "without it, the forecasts are yours",
    "made_at": "without it, a forecast is dated by its question",
    "close_time": "without it, an open question closes as its title says",
}
# The fields that a column left over could be, the most needed ones first.
_COULD_BE = (
    *("forecaster", "outcome", "made_at", "close_time", "resolved_at"),
    *("rationale", "tags", "family", "criteria", "visible_to"),
)
_NAMED = 3  # of them in a note
_LABELS = {
    "question_id": "question ID",
    "made_at": "forecast time",
    "resolved_at": "resolution time",
    "criteria": "resolution criteria",
    "visible_to": "audience",
}
WIDE = ("forecaster", "made_at", "option")
SCALE = "scale"
_COMPOSED = ("question_id", "title")
_DATE = r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*"  # right or wrong, but meant as one
_SHARE = r"\s*\d{1,3}(\.\d*)?\s*"
_DATE_NAME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:?\d{2})?")


@dataclass(frozen=True)
class Columns:
    """The file's column for each of ours; several for a composed one.

    ``wide``: of a wide sheet, the column of each forecaster, date or option, by its name, and
    ``kind`` which of them. ``scale``: 1 or 100 if chosen.
    """

    header: Sequence[str]
    fields: Mapping[str, Sequence[str]]
    kind: str = ""
    wide: Mapping[str, str] = field(default_factory=dict)
    scale: int | None = None

    @property
    def others(self) -> list[str]:
        """The columns left over."""
        taken = {*chain.from_iterable(self.fields.values()), *self.wide.values()}
        return [column for column in self.header if column not in taken]

    def one(self, name: str) -> str | None:
        """Return the column of a field that has one at most."""
        return next(iter(self.fields.get(name, ())), None)


def are_usual(header: Sequence[str]) -> bool:
    """Return whether a sheet with this header can hold forecasts.

    One without outcomes can if every column has a usual name: another could have the outcomes.
    One of questions alone can too (``_of_questions``).
    """
    found = {name: columns for name, columns in found_by_name(header).items() if columns}
    is_named = "title" in found or "question_id" in found
    if "outcome" in found:
        return is_named or "probability" in found
    known = {column for columns in found.values() for column in columns}
    others = set(filter(str.strip, header)) - known
    if "probability" in found:
        return is_named and not others
    return _of_questions(found, others)


def _of_questions(fields: Mapping[str, Sequence[str]], others: Collection[str]) -> bool:
    """Return whether a sheet without probabilities has questions to import without forecasts.

    A column of criteria tells, and so does one of closes if no other could have the probabilities.
    """
    if any(map(fields.get, ("outcome", "forecaster", "made_at"))):
        return False
    is_named = fields.get("title") or fields.get("question_id")
    return bool(is_named and (fields.get("criteria") or (fields.get("close_time") and not others)))


def is_summary(name: str) -> bool:
    """Return whether a row or a column with this name sums up others, such as an average."""
    return plain(name) in SUMMARIES


def matched(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Return the columns as chosen, or else by their usual names.

    BadInput for a choice that does not exist, and if several columns have a usual name of the same
    field; the candidates are named.
    """
    columns = _chosen(header, chosen)
    for name in USUAL:
        if name in columns.fields or (columns.wide and name in ("probability", columns.kind)):
            continue
        fits = _fitting(columns.others, name, has_title=bool(columns.fields.get("title")))
        if len(fits) > 1:
            raise BadInput(
                f"Several columns could be the {_label(name)}: {', '.join(map(repr, fits))}.",
                remedy=(
                    Remedy("Choose one: {};", "", column=f"{name}={fits[0]}"),
                    Remedy("or none: {}", "", column=f"{name}="),
                ),
            )
        if fits:
            columns = replace(columns, fields={**columns.fields, name: fits})
    if not columns.wide and not columns.fields.get("probability"):
        days = {column: column for column in columns.others if is_date(column)}
        columns = replace(columns, kind="made_at" if days else "", wide=days)
    return columns


def completed(table: Table, columns: Columns) -> Columns:
    """Return the columns with those that only their cells tell."""
    return _with_forecasters(table, _with_days(table, _with_resolved(table, columns)))


def _with_resolved(table: Table, columns: Columns) -> Columns:
    """Return the columns with "resolved" as ``resolved_at``, if its cells are dates.

    BadInput if they say yes, and no column or choice tells the outcomes.
    """
    name = next(filter(is_resolved, columns.others), None)
    if name is None or "resolved_at" in columns.fields:
        return columns
    if not _are_dates(table, name):
        cells = map(str.strip, table.frame[name].unique())
        if "outcome" not in columns.fields and any(unaccented(cell) in YES for cell in cells):
            raise BadInput(
                f"No column of {table.path.name} has the outcomes of its questions.",
                remedy=(
                    *unsure_outcome(name),
                    Remedy("If all are open: {}", "", column="outcome="),
                ),
            )
        return columns
    return replace(columns, fields={**columns.fields, "resolved_at": [name]})


def _with_days(table: Table, columns: Columns) -> Columns:
    """Return the columns with "Tag", a day in German, as ``made_at`` if its cells are dates."""
    fields, name = columns.fields, columns.one("tags")
    if name is None or plain(name) != DAY or "made_at" in fields or not _are_dates(table, name):
        return columns
    return replace(columns, fields={**fields, "tags": [], "made_at": [name]})


def _are_dates(table: Table, name: str) -> bool:
    cells = table.frame[name]
    filled = cells[cells.str.strip() != ""]
    return len(filled) > 0 and bool(filled.str.fullmatch(_DATE).all())


def _with_forecasters(table: Table, columns: Columns) -> Columns:
    """Return the columns with those of the forecasters, if all the others are probabilities.

    A column of averages is left out.
    """
    if columns.wide or "probability" in columns.fields:  # a blank choice: the sheet has none
        return columns
    others = [name for name in columns.others if not is_summary(name) and not is_resolved(name)]
    has_names = columns.one("forecaster") is not None  # a row is then one forecaster's
    if has_names or not others or not all(_are_probabilities(table, name) for name in others):
        if _of_questions(columns.fields, others):
            return columns
        raise BadInput(
            f"No column of {table.path.name} has a usual name for the probability. Its columns are "
            f"{', '.join(table.header)}.",
            remedy=(
                "Name the columns that the sheet has. Not recognised:",
                *missing_fields(columns.fields, table.header),
            ),
        )
    return replace(columns, kind="forecaster", wide={name: name for name in others})


def _are_probabilities(table: Table, name: str) -> bool:
    cells = numbers_of(table, name)[0]
    filled = cells[cells.str.strip() != ""]
    if not len(filled) or not filled.str.fullmatch(_SHARE).all():
        return False
    return bool(filled.astype(float).between(0, 100).all())


def numbers_of(table: Table, name: str) -> tuple[pd.Series[Any], Mask]:
    """Return the texts of the numbers in a column, and whether each is a percentage."""
    cells = [without_percent(cell) for cell in table.frame[name]]
    numbers = [decimal_point(bare, table.separator) for bare, _ in cells]
    return pd.Series(numbers, dtype=str), np.array([is_share for _, is_share in cells], dtype=bool)


def found_by_name(header: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the columns with a usual name of each field; several if it is not clear which."""
    has_title = bool(_fitting(header, "title"))
    return {name: _fitting(header, name, has_title=has_title) for name in USUAL}


def naming(columns: Columns) -> list[str]:
    """Return the columns left over that can name a question: its outcome must not change its id."""
    return [column for column in columns.others if not is_resolved(column)]


def is_resolved(column: str) -> bool:
    """Return whether a column says that a question resolved: when, or whether, or perhaps how."""
    return plain(column) in RESOLVED


def columns_note(columns: Columns) -> str:
    """Return a sentence on the use of each column, in the order of the file."""
    uses = [
        (names[0], f"{' + '.join(names)} → {_label(name)}")
        for name in USUAL
        if (names := columns.fields.get(name))
    ]
    if columns.wide:
        names = sorted(columns.wide.values(), key=columns.header.index)
        each = "day" if columns.kind == "made_at" else columns.kind
        uses.append((names[0], f"{', '.join(names)} → one {each} each"))
    uses.sort(key=lambda use: columns.header.index(use[0]))
    return f"Columns: {'; '.join(said for _, said in uses)}."


def leftover_notes(columns: Columns) -> Iterator[Advice]:
    """Yield notes on the columns left over: those that name the questions, and those left out."""
    if not columns.wide and not columns.fields.get("probability"):
        yield (
            "No column has probabilities, so the questions are imported without forecasts.",
            Remedy("If one has, name it: {}", "", column="probability=NAME"),
        )
    if not columns.fields.get("outcome"):
        yield (
            "No column has the outcomes, so every question is open.",
            Remedy("If one has, name it: {}", "", column="outcome=NAME"),
        )
    others = [column for column in columns.others if column.strip()]
    if len(others) < len(columns.others):
        yield "A column without a name is left out."
    if not columns.fields.get("question_id") and not columns.fields.get("title"):
        names = naming(columns)
        others = [column for column in others if column not in names]
        note = "No column names the question, so each row is a question, named by its"
        if names:
            yield (
                f"{note} other columns ({', '.join(names)}).",
                Remedy("If one is its title, name it: {}", "", column="title=NAME"),
            )
        else:
            yield f"{note} number."
    if others:
        yield _left_out_note(columns, others)


def _left_out_note(columns: Columns, others: Sequence[str]) -> Advice:
    """Return a note on the columns left out: they could be fields that have no column yet."""
    lacking = [name for name in _COULD_BE if name != columns.kind and not columns.fields.get(name)]
    note = f"Left out: {', '.join(others)}."
    team = next((name for name in others if plain(name) in TEAM), None)
    if team and "visible_to" in lacking:
        way = f"If {team!r} names the audience of each question: {{}}"
        return note, Remedy(way, "", column=f"visible_to={team}")
    if not lacking:
        return note
    *some, last = map(_label, lacking[:_NAMED])
    fields = f"{', '.join(some)} or {last}" if some else last
    theirs, which = (others[0], "it") if len(others) == 1 else ("NAME", "one of them")
    named = f"{lacking[0]}={theirs}"
    return note, Remedy(f"If {which} is the {fields}, name it, as in {{}}", "", column=named)


def missing_fields(
    fields: Mapping[str, Sequence[str]], header: Sequence[str]
) -> tuple[str | Remedy, ...]:
    """Return a line for each field without a column: the option that names one, and its use."""
    named = fields.get("question_id") and "title"
    lacking = [name for name in _SOUGHT if not fields.get(name) and name != named]
    lines: list[str | Remedy] = []
    for name in lacking:
        lines.append(Remedy(f"\n  {{}}: {_SOUGHT[name]}", "", column=f"{name}=NAME"))
        if name == "probability":
            each = "forecaster:HANDLE=NAME"
            lines.append(Remedy("or one for each forecaster: {}", "", column=each))
            lines.append(Remedy("or none, for questions alone: {}", "", column="probability="))
    if "outcome" in lacking and (resolved := next(filter(is_resolved, header), None)):
        lines += ["\n", *unsure_outcome(resolved)]
    return tuple(lines)


def unsure_outcome(column: str) -> tuple[str | Remedy, ...]:
    """Return the remedy if no column but this one, such as "Resolved?", could be the outcome."""
    return (
        f"{column!r} may say only whether a question resolved.",
        Remedy("If it says how (yes or no): {};", "", column=f"outcome={column}"),
        "if not, add a column with the outcomes.",
    )


def is_date(text: str) -> bool:
    """Return whether a column's name is a day or a time."""
    day = day_first(text.strip())
    if not _DATE_NAME.fullmatch(day):
        return False
    try:
        datetime.fromisoformat(day)
    except ValueError:
        return False
    return True


def _chosen(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Return the columns as chosen."""
    fields: dict[str, Sequence[str]] = {}
    wide: dict[str, dict[str, str]] = {}
    scale = None
    for ours, theirs in chosen.items():
        kind, _, name = ours.partition(":")
        if ours == SCALE:
            if theirs not in ("1", "100"):
                raise BadInput(f"The scale {theirs!r} is neither 1 nor 100.")
            scale = int(theirs)
        elif name and kind in WIDE:
            if not theirs:
                raise BadInput(
                    f"No column is named for {ours!r}.",
                    remedy=Remedy("Name it: {}", "", column=f"{ours}=NAME"),
                )
            [wide.setdefault(kind, {})[name]] = _theirs(header, ours, theirs, several=False)
        elif ours in USUAL:
            fields[ours] = _theirs(header, ours, theirs, several=ours in _COMPOSED)
        else:
            possible = ", ".join([*USUAL, SCALE, *(f"{kind}:NAME" for kind in WIDE)])
            raise BadInput(f"{ours!r} is not a column of ours.", remedy=f"Choose from: {possible}.")
    if len(wide) > 1:
        raise BadInput(
            f"The columns cannot be {' and '.join(wide)} at once.", remedy="Choose one of them."
        )
    for day in wide.get("made_at", ()):
        if not is_date(day):
            raise BadInput(
                f"{day!r} is not a day.",
                remedy=Remedy("Write it as in {}", "", column="made_at:2025-10-30=NAME"),
            )
    return Columns(header, fields, *next(iter(wide.items()), ("", {})), scale)


def _theirs(header: Sequence[str], ours: str, theirs: str, *, several: bool) -> list[str]:
    """Return the chosen columns; none if the choice is blank."""
    if not theirs or theirs in header:
        return [theirs] if theirs else []
    parts = theirs.split("+") if several else [theirs]
    missing = [part for part in parts if part not in header]
    if missing:
        raise BadInput(
            f"The file has no column {missing[0]!r}, chosen for {ours}. Its columns are: "
            f"{', '.join(header)}.",
            remedy="Choose one of them.",
        )
    return parts


def _fitting(header: Sequence[str], name: str, *, has_title: bool = False) -> list[str]:
    """Return the columns with a usual name of a field, perhaps with a number after it."""
    fits = [column for column in header if _fits(column, USUAL[name])]
    if not fits and has_title and name == "forecaster":
        fits = [column for column in header if _fits(column, PEOPLE)]
    return fits


def _fits(column: str, names: Sequence[str]) -> bool:
    name = plain(column)
    return name in names or name.rstrip("0123456789") in names


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ")


def _words(text: str) -> Sequence[str]:
    return text.split()


# Our fields with the usual names of their columns: English first, then other languages.
USUAL: Mapping[str, Sequence[str]] = {
    name: _words(names)
    for name, names in {
        "question_id": "question_id questionid qid market_id frage_id",
        "title": "title question question_title question_text statement event frage aussage titel "
        "pregunta",
        "forecaster": "forecaster user user_id username user_name member person predictor "
        "participant expert model teilnehmer mitglied nutzer benutzer experte modell personne "
        "persona",
        "probability": "probability prob p forecast prediction predicted estimate confidence "
        "chance credence probability_yes p_yes wahrscheinlichkeit prognose vorhersage schatzung "
        "probabilite prevision probabilidad pronostico prediccion",
        "outcome": "outcome result resolution resolved_to actual answer y came_true happened "
        "ergebnis ausgang eingetreten antwort resultat resultado",
        "made_at": "made_at forecast_date forecast_time forecasted_at predicted_at prediction_date "
        "timestamp date day time datum prognosedatum zeitpunkt zeitstempel fecha",
        "open_time": "open_time open_date opened asked_at asked start_date eroffnet gestellt "
        "gestellt_am beginn startdatum",
        "close_time": "close_time close_date closes closed scheduled_close_time deadline due "
        "due_date resolve_by end_date frist stichtag fallig fallig_am ende enddatum echeance "
        "date_limite plazo fecha_limite",
        "resolved_at": "resolved_at resolve_time resolution_date resolution_time resolved_on "
        "resolved_date date_resolved aufgelost_am entschieden_am ergebnisdatum",
        "family": "family event_id group familie gruppe",
        "tags": "tags tag category topic kategorie thema categorie categoria",
        "rationale": "rationale reasoning reason comment notes begrundung kommentar notizen "
        "commentaire comentario",
        "criteria": "criteria resolution_criteria resolution_rules kriterien "
        "entscheidungskriterien criteres criterios",
        "visible_to": "visible_to visibility audience sichtbar_fur sichtbarkeit visible_par "
        "visible_para",
    }.items()
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
TEAM = _words("team teams equipe equipo")  # whose questions, or who is asked about
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


def outcome_of(text: str, separator: str, options: Mapping[str, str]) -> str | None:
    """Return an outcome in the ledger's form; None if it is not one."""
    word = unaccented(text)
    if word in OTHERS:
        return OTHERS[word]
    if options:
        folded = text.casefold()
        return next((option for option in options if option.casefold() == folded), None)
    if word in YES or word in NO:
        return "yes" if word in YES else "no"
    number = decimal_point(text, separator)
    try:
        share = float(number)
    except ValueError:
        return None
    if not 0 <= share <= 1:
        return None
    return {0.0: "no", 1.0: "yes"}.get(share, number)


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
