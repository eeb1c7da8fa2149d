"""A yes/no question for a forward-looking sentence, for the user to edit.

"Beijing plans to lift the ban by the end of 2028, two officials said." becomes "Will Beijing lift
the ban by 31 December 2028?". The subject is that of the cue (``subjects``). The verb phrase
follows the cue: only the first clause, without its source, and with the date before a condition
("by 1 August 2025 unless a deal is struck"). A planned or wanted noun becomes "Will there be a
truce by …?", a postponed event "Will the debate take place by …?". If the subject or the verb is
not clear, there is no question: the user reads the sentence and writes one.

The question is affirmative ("will not attend" becomes "Will … attend?"), uses "until" for states
that last, and keeps a condition ("Will the town flood if the dam fails?"). A range of amounts
becomes a numeric question, a list of names a multiple-choice one (``kinds``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.forward_looking import Outlook
from forecasts.reading.drafting.kinds import Asked, ask_amount, ask_choice
from forecasts.reading.drafting.subjects import (
    OPENING,
    POSSESSIVE,
    Context,
    find_subject,
    has_pronoun,
    possessive,
    without_open_pronouns,
)
from forecasts.reading.drafting.verbs import REPORTING, base_of_gerund, base_of_present
from forecasts.reading.intervals import long_date
from forecasts.reading.lines import alternatives, plain_punctuation

MAX_LENGTH = 220  # characters; a longer question is quicker to rewrite than to edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording(Asked):
    """A question: "Will {subject} {predicate}?", or one of another ``kind`` made from it.

    ``outlook`` is the one it was worded from; ``left_out`` a condition that named nobody.
    """

    outlook: Outlook
    subject: str = ""
    predicate: str = ""
    left_out: str = ""


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
    return Wording(question="", outlook=first)


def _wording(sentence: str, outlook: Outlook, context: Context) -> Wording | None:
    """Return the question for one outlook, or None if it would not be clear."""
    predicate = _predicate(outlook)
    if predicate is None:
        return _event(sentence, outlook) or _existence(sentence, outlook, context)
    cue, verb, start = predicate
    deadline, words = outlook.deadline, outlook.match.string
    subject = _subject(sentence, outlook, cue, context)
    present = (outlook.match.groupdict() | cue.groupdict()).get("present")
    if present:
        verb = base_of_present(present, subject)
    if not subject or (present and (not verb or _ALONE.fullmatch(subject))):
        return None
    if_so, left_out = condition(sentence, outlook.match.start(), deadline), ""
    if has_pronoun(if_so):
        if_so, left_out = "", if_so.strip()
    elif by_date(deadline) and by_date(deadline) in if_so:
        deadline = None
    is_denied = re.search(r"\b(?:not|never|no longer)\b|n't\b", words[:start]) is not None
    lasting = not is_denied and outlook.cue.kind != "term" and verb != "take place"
    phrase = verb_phrase(sentence, start, verb, deadline, lasting=lasting)
    phrase = without_open_pronouns(subject, phrase)
    if subject == "there":
        phrase = _NONE.sub("be a ", phrase)
    wording = replace(_will(outlook, subject, phrase, if_so), left_out=left_out)
    asked = None if if_so or is_denied else ask_amount(subject, phrase)
    asked = asked or (None if if_so or is_denied else ask_choice(subject, phrase))
    return replace(wording, **asdict(asked)) if asked else wording


def _will(outlook: Outlook, subject: str, predicate: str, ending: str = "") -> Wording:
    question = f"Will {subject} {predicate}{ending}?"
    return Wording(question=question, outlook=outlook, subject=subject, predicate=predicate)


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
_INDEFINITE = re.compile(r"(?i)(?:an?|another|more|no|any|new|further|fresh)\b")
_LIKELY = re.compile(
    r"(?:is|are|looks?|seems?|appears?|remains?)\b.*\b(?:(?:un)?likely|possible|planned|expected"
    r"|imminent|looming|coming|on the \w+|in [\w ]+)$"
)
_FIXED = re.compile(r".*\b(?:scheduled|planned|slated|set|booked|lined up|pencil?led in)\b")
_AWAITED = re.compile(r".*\b(?:expected|due|likely|on course|on track)")


def _event(sentence: str, outlook: Outlook) -> Wording | None:
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
        if owner.lower() in ("his", "her", "their", "its"):
            return None
        owner = owner.lower() if owner.lower() == "the" else owner
        return _will(outlook, f"{owner} {event}", "take place", by_date(deadline))
    if re.search(r"\b[Aa]n?\s+$", before):
        return _there(f"{'an' if event[0] in 'aeiou' else 'a'} {event}", outlook)
    return None


def _there(noun: str, outlook: Outlook) -> Wording | None:
    if not noun or has_pronoun(noun):
        return None
    question = f"Will there be {noun}{by_date(outlook.deadline)}?"
    return Wording(question=question, outlook=outlook, subject=noun)


_SELF = re.compile(r"\b(?:I|[Ww]e)\s+$")
_DECIDES = re.compile(
    r".*\b(?:considering|weighing|mulling|contemplating|planning|preparing)$", re.DOTALL
)
_DEFINITE = re.compile(r"(?:the|its|his|her|their)\s")
_SEEKS = re.compile(r".*\b(?:seeking|aiming for|pushing for|up for)$", re.DOTALL)


def _existence(sentence: str, outlook: Outlook, context: Context) -> Wording | None:
    """Return "Will there be a truce …?" or "Will the verdict come …?" for a cue with no verb."""
    match, deadline, kind = outlook.match, outlook.deadline, outlook.cue.kind
    if _SELF.search(match.string[: match.start()]):
        return None  # a speaker does not "take place"
    by = by_date(deadline)
    wished = _WISHED.match(match.string, match.end())
    subject = find_subject(sentence, match, deadline, context)
    if kind == "pursues" and (_SEEKS.match(match[0]) or (_DECIDES.match(match[0]) and not wished)):
        goal = without_open_pronouns(subject, noun_phrase(sentence, match.end(), deadline))
        if _SEEKS.match(match[0]):
            return _will(outlook, subject, f"get {goal}", by) if subject and goal else None
        is_clear = subject and _DEFINITE.match(goal)
        return _will(outlook, subject, f"go ahead with {goal}", by) if is_clear else None
    if wished and kind in ("pursues", "weak"):
        wish = noun_phrase(sentence, wished.end(), deadline)
        if owner := _OWNER.search(sentence, 0, match.start()):
            return _will(outlook, owner[1], f"get {wish}", by)
        if has_pronoun(wish) and subject:  # "a bid for its rival"
            wish = POSSESSIVE.sub(f"{possessive(subject)} ", wish)
        return _there(wish, outlook)
    if not subject:
        return None
    if _LIKELY.match(match[0]) and _INDEFINITE.match(subject):
        rest = noun_phrase(sentence, match.end(), deadline)
        return _there(one_line(f"{subject} {rest}"), outlook)
    if deadline is None or not 0 <= deadline.end - match.end() <= len(deadline.phrase) + 5:
        return None
    if _FIXED.match(match[0]):
        return _will(outlook, subject, "take place", by)
    return _will(outlook, subject, "come", by) if _AWAITED.match(match[0]) else None


# ---- the verb phrase, with the close date in place of the deadline


def by_date(deadline: Deadline | None, preposition: str = "by") -> str:
    """Return " by 31 December 2028", " from 1 May 2027", or '' without a deadline."""
    if deadline and deadline.since:
        return f" from {deadline.since}"
    return f" {preposition} {long_date(deadline.last_day)}" if deadline else ""


def one_line(text: str) -> str:
    """Return ``text`` with single spaces, and none at the ends."""
    return re.sub(r"\s+", " ", text).strip()


_CONNECTED = alternatives(
    "according which who whose where as but while although though amid despite citing said says "
    "so because he she they it"
)
# Another clause or the source follows.
_NEXT_CLAUSE = re.compile(
    rf"""
    [;"(] | \s--?\s | :\s | \s?—
  | ,?\s+(?:and|but)\s+(?=[^,;]*\b(?:will|would|could|may|might|must|should|can|is|are
                           |was|were|has|have|had|said|plans?|intends?|hopes?|wants?|expects?)\b)
  | \s(?:was|were)\s(?:probably|widely|meant|intended|seen|read|dismissed)\b
  | \s(?:is|are)\s(?:put\sat\s|about\s)?(?:\d[\d.]*\s?(?:%|per)|even\b)
  | ,\s+(?:{_CONNECTED}|a\s+move|[a-z]+ing)\b
  | ,?\s+with\s+[^,]*?\b[a-z]+ing\b
  | ,\s+(?!(?:and|or|but)\b)[^,]*?\b(?:[a-z]+ed|is|are|was|were|has|had|will|would)\b
  | ,\s+[^,]{{2,60}}\s(?:{REPORTING}|told\b[^,]*)\b(?:\s+(?:on\s+)?\w+day)?[^,]{{0,40}}$
    """,
    re.VERBOSE,
)
# The date goes before these: "by 1 August 2025 unless a deal is struck".
_AFTER_DATE = re.compile(
    r"\s+(?:on )?(?:if|unless|provided|before|after|as|because|despite|amid|whether|when)\b"
)
_SHOULD = re.compile(r"^[Ss]hould ")  # "Should the talks fail, …"
_IS_CONDITION = re.compile(r"(?i)should|if|unless|once|when|as soon as")
_TIME_CLAUSE = re.compile(r"\s+(?:when|once|as soon as)\s[^,]*$")
_OTHER_TIME = re.compile(
    r",?\s+(?:(?:later )?this|next) (?:week|month|year|weekend),?\s*$|\s+soon\s*$"
    r"|\s+(?:an?|\w+) (?:day|week|month|year)s? later,?\s*$"
    r"|\s+(?:with)?in (?:a few |the coming )?(?:hours|days|weeks|months)\s*$"
    r"|\s+(?:on|in|at) the (?:night|evening|morning|afternoon|day|week) of\s*$"
)
_TO = re.compile(r"\bto\s+$")
_AND_TO = re.compile(r"\b(and|or) to (?=[a-z])")
_LASTS = re.compile(
    r"(?i)(?:until|till|through|up (?:to|until))\b"
    r"|for (?:the (?:next|coming)|another|a further|[\w ]+ more)\b|from\b.* (?:to|until|through) "
)
_LASTING = re.compile(r"(?:stay|remain|continue|last|keep)\b")
# Prepositions whose object was cut off.
_LEFT_OVER = re.compile(
    r"(?:,|(?<!sworn)\s(?:and|or|to|at|in|on|for|from|of|by|effective|starting|the))+\s*$"
)


def verb_phrase(
    sentence: str, start: int, verb: str, deadline: Deadline | None, *, lasting: bool
) -> str:
    """Return ``verb`` and the clause from ``start`` on, with the close date as the deadline."""
    rest, condition, at = sentence[start:], "", "by"
    if deadline and deadline.end > start:
        rest, after = sentence[start : deadline.start], sentence[deadline.end :]
        if plain_punctuation(after).startswith("'s"):
            # The day belongs to a noun: "miss Saturday's match" is "miss the match on 26 July".
            rest, after, at = f"{rest}the{after[2:]}", "", "on"
        rest = _LEFT_OVER.sub("", _OTHER_TIME.sub("", _TIME_CLAUSE.sub("", rest)))
        if _AFTER_DATE.match(after):
            condition = _first_clause(after)
        elif not after.lstrip().startswith(","):
            rest += after
    if _TO.search(sentence[:start]):  # "hopes to visit Brega and to meet Holm"
        rest = _AND_TO.sub(r"\1 ", rest)
    phrase = _OTHER_TIME.sub("", _first_clause(f"{verb} {rest}"))
    if deadline and deadline.end <= start and (later := _AFTER_DATE.search(phrase)):
        phrase, condition = phrase[: later.start()], phrase[later.start() :].strip()
    lasts = deadline and (_LASTS.match(deadline.phrase) or _LASTING.match(phrase)) and lasting
    phrase = phrase.rstrip(" ,")
    return one_line(f"{phrase}{by_date(deadline, 'until' if lasts else at)} {condition}")


def _first_clause(text: str) -> str:
    """Return the text before the next clause, without the stop."""
    clause = _NEXT_CLAUSE.search(plain_punctuation(text))
    return one_line(text[: clause.start()] if clause else text).rstrip(".,!…'’\"” ")


def noun_phrase(sentence: str, start: int, deadline: Deadline | None) -> str:
    """Return the noun phrase from ``start`` to the deadline or the next clause."""
    end = deadline.start if deadline and deadline.start >= start else len(sentence)
    return _LEFT_OVER.sub("", _first_clause(sentence[start:end]))


def condition(sentence: str, cue_start: int, deadline: Deadline | None) -> str:
    """Return " if the dam fails" if the sentence begins with it, or ''.

    A deadline in it is replaced by the close date.
    """
    opening = OPENING.match(plain_punctuation(sentence), 0, cue_start)
    if opening is None or not _IS_CONDITION.match(opening["opener"]):
        return ""
    start, end = opening.start("opener"), opening.end()
    words = sentence[start:end]
    if deadline and deadline.end <= end:
        before = sentence[start : deadline.start].rstrip()
        words = before + by_date(deadline) + sentence[deadline.end : end]
    words = _SHOULD.sub("if ", one_line(words).rstrip(" ,"))
    return f" {words[0].lower()}{words[1:]}"
