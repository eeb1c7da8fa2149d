"""A yes/no wording for a sentence that looks ahead: a start for a person to edit.

"Beijing plans to lift the ban by the end of 2028." becomes "Will Beijing lift the ban by
31 December 2028?". The subject is what stands between the start of the clause and the cue, the
verb phrase what follows it, less the deadline and an attribution. A subject that cannot stand by
itself (a pronoun, half a clause) or a cue without a plain verb gives the fallback, which always
reads: "Will this happen by 31 December 2028: “…”?".

The wording is affirmative ("will not attend" asks "Will … attend?"), and says "until" where the
sentence says that something lasts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from forecasts.articles.outlook import Outlook
from forecasts.articles.sentences import plain

LONGEST = 220  # characters; a longer question is quicker to write anew than to edit


def question(sentence: str, outlook: Outlook, small_words: Collection[str] = ()) -> str:
    """Return a question that the sentence leaves open, ending in its close date if it has one.

    ``small_words`` are words that the text also writes small: they lose the capital that they
    have only at the beginning of a sentence.
    """
    subject = _subject(sentence, outlook, small_words)
    verb_phrase = _verb_phrase(sentence, outlook)
    if subject and verb_phrase:
        lasts = outlook.deadline and _LASTS.match(outlook.deadline.phrase)
        wording = f"Will {subject} {verb_phrase}{_by(outlook, 'until' if lasts else 'by')}?"
        if len(wording) <= LONGEST:
            return wording
    statement = re.sub(r"\s+", " ", sentence).strip(" \"'“”‘’").rstrip(".!…").strip("\"'“”‘’")
    return f"Will this happen{_by(outlook, 'by')}: “{_inner_quotes(statement)}”?"


def _by(outlook: Outlook, preposition: str) -> str:
    if outlook.deadline is None:
        return ""
    return f" {preposition} {long_date(outlook.deadline.last_day)}"


def long_date(day: date) -> str:
    """Return a day as "31 December 2028", in English whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LASTS = re.compile(r"(?:until|till|through|for)\b", re.IGNORECASE)


def _inner_quotes(text: str) -> str:
    return re.sub(r"[“”\"]", "'", text)


# ---- the subject

# The clause begins after the last of these.
_CLAUSE = re.compile(
    r"""
    ^["']*(?:(?:But|And|Meanwhile|However|Now|Still|Yet|Then|Also|Instead|Finally|Separately),?\s+)?
        (?:(?:In|On|At|By|After|Under|With|Despite|Within|During|Before|Following|Amid|Until|From
             |Over|According\ to|Since|Later|Early|Late|Next|This|Asked|Pressed)\b[^,]*,\s+)?["']*
  | \b(?:said|says?|announced|announces|warned|warns?|believes?|predicts?|predicted|insisted|insists
      |confirmed|added|fears?|feared|thinks?|hopes?|signall?ed|suggested|indicated|reported
      |estimates?|estimated|argued?|argues|claims?|claimed|forecasts?|expects?)
      (?:\s+(?:on\s+|late\s+)?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)?(?:\s+that)?\s+
  | \b(?:concerns?|fears?|doubt|fact|signs?|hopes?|means?|mean|likely|likelihood|possibility|told\s+\S+
      |told\s+\S+\s+\S+|suggests?|saying|warnings?|clear|expectations?|promises?|certain|agreed
      |say|showed|shows?)\s+that\s+
  | [;:]\s+ | \s["'] | \s--?\s | ,\s+(?:and|but|while|so|as|with)\s+
    """,
    re.VERBOSE,
)
_NOT_A_SUBJECT = re.compile(
    r"^(?:I|[Ww]e|[Yy]ou|[Hh]e|[Ss]he|[Ii]t|[Tt]hey|[Tt]his|[Tt]hat|[Tt]hese|[Tt]hose|[Tt]here|[Ww]ho"
    r"|[Ww]hich|[Ww]hat|[Ww]hoever|[Nn]o|[Nn]one|[Nn]either|[Nn]obody|[Ff]ew|[Bb]oth|[Ii]f|[Ww]hen"
    r"|[Ww]here|[Ww]hy|[Hh]ow|[Ww]hile|[Ww]hether|[Uu]nless|[Aa]lthough|[Tt]hough|[Bb]ecause|[Ss]ince"
    r"|[Aa]s|[Ss]o|[Aa]nd|[Bb]ut|[Oo]r|[Ff]or|[Ww]ith|[Ii]n|[Oo]n|[Aa]t|[Bb]y|[Tt]o|[Ff]rom|[Aa]fter"
    r"|[Bb]efore|[Uu]nder|[Ss]till|[Yy]et|[Nn]ow|[Tt]hen|[Ee]very|[Hh]is|[Hh]er|[Mm]y|[Oo]ur|not|also"
    r"|[Ii]nstead|[Ss]ome of|[Mm]any of)\b"
    r"|[,;:\"()?!]|--| - |\b(?:said|says|is|are|was|were|has|have|had|will|would|could|may|might|can"
    r"|who|which|whom|whether|if|because|when|while|he|she|they|it|we|that|than|to|did|does|do|not)\b"
)
# A sentence may begin with these without their being names.
_COMMON = frozenset(
    (
        "the a an its their some many several most all two three four five six seven eight nine ten "
        "hundreds thousands dozens millions more another other each new "
        "officials lawmakers analysts economists ministers scientists researchers engineers doctors "
        "nurses teachers farmers workers police prosecutors lawyers judges voters residents diplomats "
        "negotiators investors traders banks airlines unions activists protesters inspectors "
        "investigators troops soldiers rebels leaders members delegates organisers organizers "
        "authorities regulators companies shares prices exports imports inflation unemployment growth "
        "demand supply output production sales rates tariffs sanctions elections talks hearings rain "
        "temperatures turnout parliament students schools hospitals volunteers dockworkers carmakers"
    ).split()
)


def _subject(sentence: str, outlook: Outlook, small_words: Collection[str]) -> str:
    """Return the subject of the cue, empty where it is not plain."""
    words = plain(sentence)
    if "subject" in outlook.match.groupdict():
        start, end = outlook.match.span("subject")
    else:
        end = outlook.match.start()
        start = max((m.end() for m in _CLAUSE.finditer(words, 0, end)), default=0)
    deadline = outlook.deadline
    if deadline and deadline.end <= end and not sentence[deadline.end : end].strip(" ,"):
        end = deadline.start  # "The senate on Friday votes"
    subject = re.sub(r"\s+", " ", sentence[start:end]).strip(" ,")
    count = len(subject.split())
    if not 1 <= count <= 12 or _NOT_A_SUBJECT.search(plain(subject)):
        return ""
    if words[:start].strip(" \"'") and not words[:start].rstrip().endswith((",", ":", '"', "'")):
        return subject  # inside a clause a capital is a name's
    first, *others = subject.split()
    is_common = first.lower() in _COMMON or first in _COMMON or first.lower() in small_words
    if is_common and not (others and others[0][0].isupper() and first.lower() not in _COMMON):
        return subject[0].lower() + subject[1:]
    return subject


# ---- the verb phrase

_ATTRIBUTION = re.compile(
    r"""
    [;"(] | ,?\s+and\s+(?=[^,;]*\b(?:will|would|could|may|might|is|are|was|were|has|have|had|can|said)\b)
  | ,\s+and\s+(?=\w+ed\b) | \s--?\s | :\s | \s—\s?
  | ,\s+(?:according|which|who|whose|where|as|but|while|although|though|amid|despite|citing|said|says
      |a\s+move|so|because|he|she|they|it)\b
  | ,\s+[^,]{2,60}\s(?:said|says?|warned?|warns|predicts?|predicted|fears?|feared|told\b[^,]*|shows?
      |showed|added|confirmed|announced|reported|insisted?|believes?|argues?)\b(?:\s+(?:on\s+)?\w+day)?[^,]{0,40}$
    """,
    re.VERBOSE,
)
_BASE = {
    "applies": "apply", "flies": "fly", "testifies": "testify", "goes": "go", "publishes": "publish",
    "launches": "launch", "switches": "switch", "finishes": "finish", "addresses": "address",
}  # fmt: skip


def _verb_phrase(sentence: str, outlook: Outlook) -> str:
    """Return the verb phrase in its base form and without the deadline, empty where unsure."""
    groups = outlook.match.groupdict()
    if groups.get("verb"):
        start, verb = outlook.match.start("verb"), ""
    elif groups.get("present"):
        first, _, others = groups["present"].partition(" ")
        if not first.endswith("s"):
            return ""  # "the talks resume" or "the report" – only the -s is surely a verb
        verb = f"{_BASE.get(first, first.removesuffix('s'))} {others}".strip()
        start = outlook.match.end("present")
    elif (
        outlook.cue.kind == "set for"
        and outlook.deadline
        and outlook.deadline.start <= outlook.match.end()
    ):
        return "take place"
    else:
        return ""
    deadline = outlook.deadline
    if deadline and deadline.start >= start:
        before, after = sentence[start : deadline.start], sentence[deadline.end :]
        rest = before + ("" if after.lstrip().startswith((",", "'", "’")) else after)
    else:
        rest = sentence[start:]
    if cut := _ATTRIBUTION.search(plain(rest)):
        rest = rest[: cut.start()]
    rest = re.sub(r"\s+", " ", rest).strip().rstrip(".,!…'’\"” ")
    return f"{verb} {rest}".strip()
