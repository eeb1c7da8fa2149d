"""A yes/no wording for a sentence that looks ahead: a start for a person to edit.

"Beijing plans to lift the ban by the end of 2028." becomes "Will Beijing lift the ban by
31 December 2028?". The subject is what stands between the start of the clause and the cue, the
verb phrase what follows it, less the deadline and an attribution. Where one of them is not plain
(a pronoun, half a clause, a cue without a verb) the fallback stands, which always reads: "Will
this happen by 31 December 2028: “…”?".

The wording is affirmative ("will not attend" asks "Will … attend?"), and says "until" where the
sentence says that something lasts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from forecasts.articles.intervals import MONTHS
from forecasts.articles.outlook import Outlook
from forecasts.articles.words import any_of, plain

LONGEST = 220  # characters; a longer question is quicker to write anew than to edit


def question(sentence: str, outlook: Outlook, small_words: Collection[str] = ()) -> str:
    """Return a question that the sentence leaves open, ending in its close date if it has one.

    ``small_words`` are words that the text also writes small: they lose the capital that they
    have only at the beginning of a sentence.
    """
    subject = _subject(sentence, outlook, small_words)
    verb_phrase = _verb_phrase(sentence, outlook, subject)
    if subject and verb_phrase:
        wording = f"Will {subject} {verb_phrase}?"
        if len(wording) <= LONGEST:
            return wording
    statement = re.sub(r"[“”\"]", "'", _one_line(sentence).rstrip(".!…"))
    return f"Will this happen{_date(outlook, 'by')}: “{statement}”?"


def long_date(day: date) -> str:
    """Return a day as "31 December 2028", in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _date(outlook: Outlook, preposition: str) -> str:
    if outlook.deadline is None:
        return ""
    return f" {preposition} {long_date(outlook.deadline.last_day)}"


_LASTS = re.compile(r"(?:until|till|through)\b", re.IGNORECASE)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# ---- the subject

_REPORTING = any_of(
    "said say says announced announces warned warn warns believe believes predict predicts "
    "predicted insisted insists confirmed added fear fears feared think thinks hope hopes "
    "signalled signaled suggested suggests indicated reported estimate estimates estimated "
    "argue argues argued claim claims claimed forecast forecasts expect expects saying show "
    "shows showed"
)
_THAT = any_of(
    "concern concerns doubt fact sign signs mean means likely likelihood possibility warning "
    "warnings clear expectation expectations promise promises certain agreed"
)
# The clause begins after the last of these. A "that" after another word may be a relative.
_CLAUSE = re.compile(
    rf"""
    ^["']*(?:(?:But|And|Meanwhile|However|Now|Still|Yet|Then|Also|Instead|Finally|Separately),?\s+)?
        (?:(?:In|On|At|By|After|Under|With|Despite|Within|During|Before|Following|Amid|Until|From
             |Over|According\ to|Since|Later|Early|Late|Next|This|Asked|Pressed|Between)
            \b[^,]*,\s+)?["']*
  | \b(?:{_REPORTING})(?:\s+(?:on\s+)?[MTWFS]\w+day)?(?:\s+that)?\s+
  | \b(?:{_THAT}|told(?:\s+[\w']+){{1,3}})\s+that\s+
  | [;:]\s+ | \s["'] | \s--?\s | ,\s+(?:and|but|while|so|as|with)\s+
    """,
    re.VERBOSE,
)
_APPOSITION = re.compile(r"(?P<subject>[^,]+),[^,]+,\s*")
_NOT_FIRST = any_of(
    "I we you he she it they him them me us this that these those there who which what whoever "
    "no none neither nobody few both if when where why how while whether unless although though "
    "because since as so and but or for with in on at by to from after before under still yet "
    "now then every his her my our not also instead some(?=\\sof)"
)
_NOT_WITHIN = any_of(
    "said says is are was were has have had will would could may might can who which whom "
    "whether if because when while he she they it we that than to did does do not"
)
_NOT_A_SUBJECT = re.compile(
    rf"^(?:{_NOT_FIRST})\b|\b(?:and|or|also|now|next)$|\b(?:{_NOT_WITHIN})\b|[,;:\"()?!]|--| - ",
    re.IGNORECASE,
)
_DETERMINER = re.compile(
    any_of(
        "the a an its their some many several most all two three four five six seven eight nine "
        "ten more another other each"
    ),
    re.IGNORECASE,
)
# A sentence may begin with these without their being names.
_COMMON = re.compile(
    any_of(
        "the a an its their some many several most all two three four five six seven eight nine "
        "ten hundreds thousands dozens millions more another other each new old further heavy "
        "fresh early officials lawmakers analysts economists ministers scientists researchers "
        "engineers doctors nurses teachers farmers workers police prosecutors lawyers judges "
        "voters residents diplomats negotiators investors traders banks airlines unions "
        "activists protesters inspectors parents investigators troops soldiers rebels leaders "
        "members delegates delegations organisers leaders organizers authorities regulators "
        "companies shares prices exports imports inflation growth unemployment demand supply "
        "output production sales rates tariffs sanctions elections talks hearings rain snow "
        "temperatures turnout parliament students schools hospitals volunteers dockworkers "
        "carmakers work construction trading negotiations ferry fuel oil gas gold evacuees "
        "polls pilots insurers astronomers technicians electors veterans reports relief rescue "
        "health government counting campaigning deliveries tickets services flights trains "
        "fares taxes wages"
    ),
    re.IGNORECASE,
)


def _subject(sentence: str, outlook: Outlook, small_words: Collection[str]) -> str:
    """Return the subject of the cue, empty where it is not plain."""
    words, deadline = plain(sentence), outlook.deadline
    if "subject" in outlook.match.groupdict():
        start, end = outlook.match.span("subject")
    else:
        end = outlook.match.start()
        start = max((clause.end() for clause in _CLAUSE.finditer(words, 0, end)), default=0)
    at_start = words[:start].rstrip().endswith((",", ":", '"', "'")) or not words[:start].strip()
    if deadline and start <= deadline.start < deadline.end <= end:
        if not words[start : deadline.start].strip():
            start, at_start = deadline.end, False  # "By Friday the court will …"
        elif not words[deadline.end : end].strip(" ,"):
            end = deadline.start  # "The court on Friday will …"
    if apposition := _APPOSITION.fullmatch(words, start, end):
        end = apposition.end("subject")
    subject = _one_line(sentence[start:end]).strip(" ,")
    if not 1 <= len(subject.split()) <= 12 or _NOT_A_SUBJECT.search(plain(subject)):
        return ""
    if not at_start:
        return subject
    first, _, others = subject.partition(" ")
    is_name = others[:1].isupper() or not (_COMMON.fullmatch(first) or first.lower() in small_words)
    if is_name and not _DETERMINER.fullmatch(first):
        return subject
    return first.lower() + subject[len(first) :]


# ---- the verb phrase

_CONNECTED = any_of(
    "according which who whose where as but while although though amid despite citing said says "
    "so because he she they it"
)
# What follows is another clause, or says who said so.
_NEXT_CLAUSE = re.compile(
    rf"""
    [;"(] | \s--?\s | :\s | \s?—
  | ,?\s+and\s+(?=[^,;]*\b(?:will|would|could|may|might|is|are|was|were|has|have|had|can|said)\b)
  | ,\s+and\s+(?=\w+ed\b)
  | ,\s+(?:{_CONNECTED}|a\s+move)\b
  | ,\s+[^,]{{2,60}}\s(?:{_REPORTING}|told\b[^,]*)\b(?:\s+(?:on\s+)?\w+day)?[^,]{{0,40}}$
    """,
    re.VERBOSE,
)
# The date goes before these: "by 1 August 2025 unless a deal is struck".
_CONDITION = re.compile(r"\s+(?:if|unless|provided|after|as|because|despite|amid|whether|when)\b")
_TIME_CLAUSE = re.compile(r"\s+(?:when|once|as soon as)\s[^,]*$")
_OTHER_TIME = re.compile(
    r",?\s+(?:(?:later )?this|next) (?:week|month|year|weekend),?\s*$|\s+soon\s*$"
)


def _verb_phrase(sentence: str, outlook: Outlook, subject: str) -> str:
    """Return the verb phrase in its base form, with the close date for the deadline.

    Empty where it is not plain.
    """
    match, deadline = outlook.match, outlook.deadline
    lasts = deadline is not None and _LASTS.match(deadline.phrase)
    when = _date(outlook, "until" if lasts else "by")
    groups = match.groupdict()
    if groups.get("verb"):
        verb, start = "", match.start("verb")
    elif groups.get("present"):
        verb, start = _base_form(groups["present"], subject), match.end("present")
        if not verb:
            return ""
    elif outlook.cue.kind == "set for" and deadline and deadline.start <= match.end():
        return f"take place{when}"
    else:
        return ""
    rest, condition = sentence[start:], ""
    if deadline and deadline.start >= start:
        rest, after = sentence[start : deadline.start], sentence[deadline.end :]
        if plain(after).startswith("'"):
            return ""  # the day belongs to a noun: "miss Saturday's match"
        rest = _OTHER_TIME.sub("", _TIME_CLAUSE.sub("", rest))
        if _CONDITION.match(after):
            condition = _first_clause(after)
        elif not after.lstrip().startswith(","):
            rest += after
    rest = _OTHER_TIME.sub("", _first_clause(rest))
    return _one_line(f"{verb} {rest}{when} {condition}")


def _first_clause(text: str) -> str:
    """Return the text up to where another clause begins, without the stop."""
    clause = _NEXT_CLAUSE.search(plain(text))
    return _one_line(text[: clause.start()] if clause else text).rstrip(".,!…'’\"” ")


_ES = re.compile(r"(?:go|publish|launch|switch|finish|address)(?=es$)")
_Y = re.compile(r"(?:appl|testif|fl)(?=ies$)")


def _base_form(present: str, subject: str) -> str:
    """Return "meet" for "meets", and for "meet" after a plural; else it may be a noun: empty."""
    first, _, others = present.partition(" ")
    if match := _ES.match(first):
        first = match.group()
    elif match := _Y.match(first):
        first = match.group() + "y"
    elif first.endswith("s"):
        first = first.removesuffix("s")
    elif not re.search(r"[a-z]s$", subject) or subject.endswith(("ss", "'s", "’s")):
        return ""
    return f"{first} {others}".strip()
