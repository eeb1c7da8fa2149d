"""A yes/no question for a forward-looking sentence, for the user to edit.

"Beijing plans to lift the ban by the end of 2028." becomes "Will Beijing lift the ban by
31 December 2028?". The subject is that of the cue (``subjects``); the verb phrase follows the cue
(``predicates``). A planned or wanted noun becomes "Will there be a truce by …?", a postponed event
"Will the debate take place by …?". If the subject or the verb is not clear, there is no question:
the user reads the sentence and writes one.

The question is affirmative ("will not attend" becomes "Will … attend?"), uses "until" for states
that last, and keeps a condition ("Will the town flood if the dam fails?"). A range of amounts
becomes a numeric question (``amounts``), a list of names a multiple-choice one (``choices``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forecasts.common.vocabulary import QuestionType
from forecasts.reading.drafting.amounts import Amount, ask_amount
from forecasts.reading.drafting.choices import ask_choice
from forecasts.reading.drafting.forward_looking import Outlook
from forecasts.reading.drafting.predicates import (
    by_date,
    condition,
    noun_phrase,
    one_line,
    verb_phrase,
)
from forecasts.reading.drafting.pronouns import (
    POSSESSIVE,
    Context,
    has_pronoun,
    possessive,
    without_open_pronouns,
)
from forecasts.reading.drafting.subjects import find_subject
from forecasts.reading.drafting.verb_forms import base_of_gerund, base_of_present

MAX_LENGTH = 220  # characters; a longer question is quicker to rewrite than to edit


@dataclass(frozen=True, slots=True)
class Wording:
    """A question: "Will {subject} {predicate}?", or one of another ``kind`` made from it.

    ``outlook`` is the one it was worded from; ``left_out`` a condition that named nobody.
    """

    question: str
    outlook: Outlook
    subject: str = ""
    predicate: str = ""
    left_out: str = ""
    kind: QuestionType = QuestionType.binary
    options: tuple[str, ...] = ()
    amount: Amount | None = None


def word_question(sentence: str, outlooks: Sequence[Outlook], context: Context) -> Wording:
    """Return a question that the sentence leaves open, ending in its close date if it has one.

    The first of ``outlooks`` gives the close date; others with the same date are used if the
    first does not yield a clear wording. Without any, the question is blank.
    """
    first = outlooks[0]
    for outlook in outlooks:
        is_guess = outlook.cue.kind == "infinitive" and outlook is not first
        if by_date(outlook.deadline) == by_date(first.deadline) and not is_guess:
            wording = _wording(sentence, outlook, context)
            if wording and len(wording.question) <= MAX_LENGTH:
                return wording
    return Wording("", first)


def _wording(sentence: str, outlook: Outlook, context: Context) -> Wording | None:
    """Return the question for one outlook, or None if it would not be clear."""
    predicate = _predicate(outlook)
    if predicate is None:
        return _event(sentence, outlook, context) or _existence(sentence, outlook, context)
    cue, verb, start = predicate
    deadline, words = outlook.deadline, outlook.match.string
    subject = _subject(sentence, outlook, cue, context)
    present = (outlook.match.groupdict() | cue.groupdict()).get("present")
    if present:
        verb = base_of_present(present, subject)
    if not subject or (present and (not verb or _ALONE.fullmatch(subject))):
        return None
    if_so = condition(sentence, outlook.match.start(), deadline)
    left_out = if_so.strip() if has_pronoun(if_so) else ""
    if left_out:
        if_so = ""
    elif by_date(deadline) and by_date(deadline) in if_so:
        deadline = None
    is_denied = re.search(r"\b(?:not|never|no longer)\b|n't\b", words[:start]) is not None
    lasting = not is_denied and outlook.cue.kind != "term" and verb != "take place"
    phrase = verb_phrase(sentence, start, verb, deadline, lasting=lasting)
    phrase = without_open_pronouns(subject, phrase)
    if subject == "there":
        phrase = _NONE.sub("be a ", phrase)
    question = f"Will {subject} {phrase}{if_so}?"
    wording = Wording(question, outlook, subject, phrase, left_out=left_out)
    return wording if if_so or is_denied else _typed(wording)


def _subject(sentence: str, outlook: Outlook, cue: re.Match[str], context: Context) -> str:
    """Return the subject of the question, or ''."""
    groups = outlook.match.groupdict()
    if groups.get("count") is not None:
        return "there"
    subject = find_subject(sentence, cue, outlook.deadline, context)
    if not subject or not groups.get("measure"):
        return subject
    measure = groups["measure"]  # "the party's revenue", but not "economists' growth"
    return measure if _EXPERTS.match(subject) else f"{possessive(subject)} {measure}"


def _typed(wording: Wording) -> Wording:
    """Return the wording with the question about the amount or the choice in it, if any."""
    if amount := ask_amount(wording.subject, wording.predicate):
        kind = QuestionType.numeric
        return replace(wording, question=amount.question, kind=kind, amount=amount)
    if choice := ask_choice(wording.subject, wording.predicate):
        kind = QuestionType.multiple_choice
        return replace(wording, question=choice.question, kind=kind, options=choice.options)
    return wording


_NONE = re.compile(r"^be no (?=\w)")  # "there will be no second chance"
_ALONE = re.compile(r"all|some|many|most|both|few|several|any|the")  # "all ships stay"
# "The last episode airs on 12 May."
_UNKNOWN_VERB = re.compile(
    r"(?<!\bthe)(?<!\bof)(?<!\bin)(?<!\bfor)(?<!\band)(?<!'s)(?<=[a-z])\s(?P<present>[a-z]{3,}s)\s$"
)
_EXPERTS = re.compile(r"(?:analysts|economists|forecasters|traders|investors|strategists)\b")


def _predicate(outlook: Outlook) -> tuple[re.Match[str], str, int] | None:
    """Return the match after the subject, a verb to insert, and the rest's start; or None."""
    match, deadline = outlook.match, outlook.deadline
    groups = match.groupdict()
    if groups.get("verb"):
        is_empty = re.match(r"not\b|do (?:so|it)\b", match.string[match.start("verb") :])
        return None if is_empty else (match, "", match.start("verb"))
    if groups.get("done"):
        return match, "be", match.start("done")
    # "Is targeting Friday": the day is the object.
    is_object = deadline and deadline.start == match.end() + 1 and deadline.phrase[0].isupper()
    for name in ("doing", "gerund"):
        if groups.get(name) and not (name == "doing" and is_object):
            return match, base_of_gerund(groups[name]), match.end(name)
    if groups.get("present"):
        return match, "", match.end("present")
    if any(groups.get(name) is not None for name in ("place", "measure", "count")):
        return match, "be", match.end()
    before_date = match.string[: deadline.start] if deadline else ""
    if outlook.cue.kind == "date" and (found := _UNKNOWN_VERB.search(before_date)):
        return found, "", found.end()
    if moved := groups.get("moved"):
        verb = "last" if moved in ("extended", "suspended") else "take place"
        return match, verb, match.end()
    if outlook.cue.kind == "date" and deadline:
        for copula in reversed([*_COPULA.finditer(match.string, 0, deadline.start)]):
            if match.string[copula.end() : deadline.start].strip() == "":
                return copula, "take place", copula.end()
            return copula, "be able to" if copula[1] == "can" else "be", copula.end()
    return None


_COPULA = re.compile(r"\b(is|are|can)\s+(?:now\s+|still\s+)?(?!not\b|only\b|be\b)")

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


def _event(sentence: str, outlook: Outlook, context: Context) -> Wording | None:
    """Return "Will the visit take place …?" for "the planned visit …", or None."""
    match, deadline = outlook.match, outlook.deadline
    if match.groupdict().get("chance"):
        event = noun_phrase(sentence, match.start("chance"), deadline)
        return _there(re.split(r"\s(?:is|are|at)\s", event)[0], outlook)
    if not match.groupdict().get("event"):
        return None
    event = noun_phrase(sentence, match.start("event"), deadline)
    before = sentence[: match.start()]
    if whose := _WHOSE.search(before):
        owner = one_line(whose[0])
        if owner.lower() in _PRONOUNS:
            return None
        owner = owner.lower() if owner.lower() == "the" else owner
        subject = f"{owner} {event}"
        return Wording(f"Will {subject} take place{by_date(deadline)}?", outlook, subject)
    if re.search(r"\b[Aa]n?\s+$", before):
        article = "an" if event[0] in "aeiou" else "a"
        return _there(f"{article} {event}", outlook)
    return None


def _there(noun: str, outlook: Outlook) -> Wording | None:
    if not noun or has_pronoun(noun):
        return None
    return Wording(f"Will there be {noun}{by_date(outlook.deadline)}?", outlook, noun)


_SELF = re.compile(r"\b(?:I|[Ww]e)\s+$")
_PRONOUNS = ("his", "her", "their", "its")
_DECIDES = re.compile(
    r".*\b(?:considering|weighing|mulling|contemplating|planning|preparing)$", re.S
)
_DEFINITE = re.compile(r"(?:the|its|his|her|their)\s")
_SEEKS = re.compile(r".*\b(?:seeking|aiming for|pushing for|up for)$", re.DOTALL)


def _existence(sentence: str, outlook: Outlook, context: Context) -> Wording | None:
    """Return "Will there be a truce …?" or "Will the verdict come …?" for a cue with no verb."""
    match, deadline = outlook.match, outlook.deadline
    if _SELF.search(match.string[: match.start()]):
        return None  # a speaker does not "take place"
    by = by_date(deadline)
    wished = _WISHED.match(match.string, match.end())
    if outlook.cue.kind == "pursues" and _SEEKS.match(match[0]):
        subject = find_subject(sentence, match, deadline, context)
        goal = without_open_pronouns(subject, noun_phrase(sentence, match.end(), deadline))
        if not subject or not goal:
            return None
        return Wording(f"Will {subject} get {goal}{by}?", outlook, subject, f"get {goal}")
    if outlook.cue.kind == "pursues" and _DECIDES.match(match[0]) and not wished:
        subject = find_subject(sentence, match, deadline, context)
        step = without_open_pronouns(subject, noun_phrase(sentence, match.end(), deadline))
        if not subject or not _DEFINITE.match(step):
            return None
        phrase = f"go ahead with {step}"
        return Wording(f"Will {subject} {phrase}{by}?", outlook, subject, phrase)
    if wished and outlook.cue.kind in ("pursues", "weak"):
        wish = noun_phrase(sentence, wished.end(), deadline)
        if owner := _OWNER.search(sentence, 0, match.start()):
            return Wording(f"Will {owner[1]} get {wish}{by}?", outlook, owner[1], f"get {wish}")
        if has_pronoun(wish):  # "a bid for its rival"
            subject = find_subject(sentence, match, deadline, context)
            wish = POSSESSIVE.sub(f"{possessive(subject)} ", wish) if subject else wish
        return _there(wish, outlook)
    subject = find_subject(sentence, match, deadline, context)
    if not subject:
        return None
    if _LIKELY.match(match[0]) and _INDEFINITE.match(subject):
        rest = noun_phrase(sentence, match.end(), deadline)
        return _there(one_line(f"{subject} {rest}"), outlook)
    if deadline is None or not 0 <= deadline.end - match.end() <= len(deadline.phrase) + 5:
        return None
    if _FIXED.match(match[0]):
        return Wording(f"Will {subject} take place{by}?", outlook, subject, "take place")
    if _AWAITED.match(match[0]):
        return Wording(f"Will {subject} come{by}?", outlook, subject, "come")
    return None
