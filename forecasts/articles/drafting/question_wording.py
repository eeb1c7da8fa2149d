"""A yes/no question for a forward-looking sentence, for the user to edit.

"Beijing plans to lift the ban by the end of 2028." becomes "Will Beijing lift the ban by
31 December 2028?". The subject is that of the cue (``subjects``); the verb phrase follows the cue
(``predicates``). A planned or wanted noun becomes "Will there be a truce by …?", a postponed event
"Will the debate take place by …?". The fallback, which always works, quotes the sentence: "Will
this happen by 31 December 2028: “…”?".

The question is affirmative ("will not attend" becomes "Will … attend?"), uses "until" for states
that last, and keeps a condition ("Will the town flood if the dam fails?"). For a range of amounts
("could cost 120 to 180 million") it asks about more than the upper end.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from forecasts.articles.drafting.forward_looking import Outlook
from forecasts.articles.drafting.predicates import (
    base_form,
    by_date,
    condition,
    noun_phrase,
    one_line,
    verb_phrase,
)
from forecasts.articles.drafting.subjects import find_subject

_QUOTED = re.compile(r"[“\"][^“”\"]+[”\"]")

MAX_LENGTH = 220  # characters; a longer question is quicker to rewrite than to edit


def word_question(
    sentence: str, outlooks: Sequence[Outlook], lowercase_words: Collection[str] = ()
) -> str:
    """Return a question that the sentence leaves open, ending in its close date if it has one.

    The first of ``outlooks`` gives the close date; others with the same date are used if the
    first does not yield a clear wording. ``lowercase_words`` occur in lower case elsewhere in the
    text, so their capital at the start of a sentence is dropped.
    """
    first = outlooks[0]
    for outlook in outlooks:
        is_guess = outlook.cue.kind == "infinitive" and outlook is not first
        if by_date(outlook.deadline) == by_date(first.deadline) and not is_guess:
            wording = _wording(sentence, outlook, lowercase_words)
            if wording and len(wording) <= MAX_LENGTH:
                return wording
    statement = one_line(sentence).rstrip(".!…")
    if _QUOTED.fullmatch(statement):
        statement = statement[1:-1].rstrip(".!…,")
    statement = re.sub(r"[“”\"]", "'", statement)
    return f"Will this happen{by_date(first.deadline)}: “{statement}”?"


def _wording(sentence: str, outlook: Outlook, lowercase_words: Collection[str]) -> str:
    """Return the question for one outlook, or '' if it would not be clear."""
    predicate = _predicate(outlook)
    if predicate is None:
        return _event(sentence, outlook) or _existence(sentence, outlook, lowercase_words)
    cue, verb, start = predicate
    deadline, words = outlook.deadline, outlook.match.string
    subject = find_subject(sentence, cue, deadline, lowercase_words)
    present = outlook.match.groupdict().get("present")
    if present:
        verb = base_form(present, subject)
    if not subject or (present and not verb):
        return ""
    if_so = condition(sentence, outlook.match.start(), deadline)
    if by_date(deadline) and by_date(deadline) in if_so:
        deadline = None
    is_denied = re.search(r"\b(?:not|never)\b|n't\b", words[:start]) is not None
    lasting = not is_denied and outlook.cue.kind != "term" and verb != "take place"
    phrase = verb_phrase(sentence, start, verb, deadline, lasting=lasting)
    return f"Will {_above_range(subject)} {_above_range(phrase)}{if_so}?"


def _predicate(outlook: Outlook) -> tuple[re.Match[str], str, int] | None:
    """Return the match after the subject, a verb to insert, and the rest's start; or None."""
    match, deadline = outlook.match, outlook.deadline
    groups = match.groupdict()
    if groups.get("verb"):
        is_empty = re.match(r"not\b|do (?:so|it)\b", match.string[match.start("verb") :])
        return None if is_empty else (match, "", match.start("verb"))
    for name, verb in (("done", "be"), ("doing", "be"), ("gerund", "end up")):
        # "Is targeting Friday": the day is the object.
        is_object = deadline and deadline.start == match.end() + 1 and deadline.phrase[0].isupper()
        if groups.get(name) and not (name == "doing" and is_object):
            return match, verb, match.start(name)
    if groups.get("present"):
        return match, "", match.end("present")
    if moved := groups.get("moved"):
        verb = "last" if moved in ("extended", "suspended") else "take place"
        return match, verb, match.end()
    if outlook.cue.kind == "date" and deadline:
        for copula in reversed([*_COPULA.finditer(match.string, 0, deadline.start)]):
            return copula, "be able to" if copula[1] == "can" else "be", copula.end()
    return None


_COPULA = re.compile(r"\b(is|are|can)\s+(?:now\s+|still\s+)?(?!not\b|only\b)")

# ---- a range of amounts

_NUMBER = r"\d[\d.,]*(?<=\d)"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|m|bn|tn)\b)"
_RANGE = re.compile(
    rf"(?:(?P<between>\bbetween\s)|(?<=\s)|^)(?P<low>[€$£¥]?{_NUMBER}{_SCALE}?\s?%?)"
    rf"(?:\s(?:and|to)\s|\s?[–-]\s?)(?P<high>[€$£¥]?{_NUMBER}{_SCALE}?(?:\s?%|\sper\s?cent\b)?)(?![\w,.]?\d)",
    re.IGNORECASE,
)
_MEASURES = re.compile(
    r"\b(?:cost|reach|total|raise|spend|earn|lose|save|pay|charge|fetch|employ|hire|create|number"
    r"|(?:rise|fall|grow|shrink|drop|climb|increase) by|worth|take)\s$",
    re.IGNORECASE,
)
_MARKED = re.compile(r"[€$£¥%]|per\s?cent|(?:thousand|million|billion|trillion|m|bn|tn)$", re.I)


def _above_range(words: str) -> str:
    """Return the words with "more than 180 million" for "between 120 and 180 million"."""
    found = _RANGE.search(words)
    if found is None or re.search(r"\b(?:to|from|aged?)\s$", words[: found.start()]):
        return words
    opens = found.start() == 0 and found["between"] is not None
    measured = _MEASURES.search(words[: found.start()]) is not None
    if not (opens or measured or _MARKED.search(found["high"])):
        return words  # of ages, times, days or scores
    high = found["high"]
    if found["low"][0] in "€$£¥" and high[0].isdigit():
        high = found["low"][0] + high
    return f"{words[: found.start()]}more than {high}{words[found.end() :]}"


# ---- planned or wanted nouns

_WISHED = re.compile(r"\s+(?:for\s+|to\s+)?(?=(?:an?|another|more|new)\s)")
_WHOSE = re.compile(r"(?:\b(?:[Tt]he|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts)|\b[\w.-]+(?:['’]s|s['’]))\s+$")
_OWNER = re.compile(r"((?:[A-Z][\w.-]+\s)*[A-Z][\w.-]+)['’]s\s+$")
_INDEFINITE = re.compile(r"(?:an?|another|more|no|any|new|further|fresh)\b", re.IGNORECASE)
_LIKELY = re.compile(
    r"(?:is|are|looks?|seems?|appears?|remains?)\b.*\b(?:(?:un)?likely|possible|planned|expected"
    r"|imminent|looming|coming|on the \w+|in [\w ]+)$"
)
_FIXED = re.compile(r".*\b(?:scheduled|planned|slated|set|booked|lined up|pencil?led in)\b")
_AWAITED = re.compile(r".*\b(?:expected|due|likely|on course|on track)")


def _event(sentence: str, outlook: Outlook) -> str:
    """Return "Will the visit take place …?" for "the planned visit …", or ''."""
    match, deadline = outlook.match, outlook.deadline
    if not match.groupdict().get("event"):
        return ""
    event = noun_phrase(sentence, match.start("event"), deadline)
    before = sentence[: match.start()]
    if whose := _WHOSE.search(before):
        owner = one_line(whose[0])
        owner = owner.lower() if owner.lower() in _DETERMINERS else owner
        return f"Will {owner} {event} take place{by_date(deadline)}?"
    if re.search(r"\b[Aa]n?\s+$", before):
        article = "an" if event[0] in "aeiou" else "a"
        return f"Will there be {article} {event}{by_date(deadline)}?"
    return ""


_SELF = re.compile(r"\b(?:I|[Ww]e)\s+$")
_DETERMINERS = ("the", "his", "her", "their", "its")


def _existence(sentence: str, outlook: Outlook, lowercase_words: Collection[str]) -> str:
    """Return "Will there be a truce …?" or "Will the verdict come …?" for a cue with no verb."""
    match, deadline = outlook.match, outlook.deadline
    wished = _WISHED.match(match.string, match.end())
    if wished and outlook.cue.kind in ("pursues", "weak"):
        wish = noun_phrase(sentence, wished.end(), deadline)
        if owner := _OWNER.search(sentence, 0, match.start()):
            return f"Will {owner[1]} get {wish}{by_date(deadline)}?"
        return f"Will there be {wish}{by_date(deadline)}?"
    if _SELF.search(match.string[: match.start()]):
        return ""  # a speaker does not "take place"
    subject = find_subject(sentence, match, deadline, lowercase_words)
    if not subject:
        return ""
    if _LIKELY.match(match[0]) and _INDEFINITE.match(subject):
        rest = noun_phrase(sentence, match.end(), deadline)
        return one_line(f"Will there be {subject} {rest}") + f"{by_date(deadline)}?"
    if deadline is None or not 0 <= deadline.end - match.end() <= len(deadline.phrase) + 5:
        return ""
    if _FIXED.match(match[0]):
        return f"Will {subject} take place{by_date(deadline)}?"
    return f"Will {subject} come{by_date(deadline)}?" if _AWAITED.match(match[0]) else ""
