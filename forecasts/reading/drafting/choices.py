"""Multiple-choice questions: "in Oslo, Bergen or Turku" becomes "In which of … will …?".

A list counts if it names its members, and if one of them excludes the others: three or more with
"or", two after "either", or those after "choose between". Lists of common nouns ("headaches,
nausea or fever") do not exclude each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = (
    r"(?:(?:the|an?) (?:[a-z-]+ ){0,2}?)?[A-Z][\w.&'’-]*(?: (?:of |de |al-)?[A-Z0-9][\w.&'’-]*)*"
)
_LIST = re.compile(
    rf"\b(?P<either>[Ee]ither )?(?P<first>{_NAME})(?P<middle>(?:, {_NAME})*),? or (?P<last>{_NAME})"
    rf"|\b(?P<between>between )(?P<one>{_NAME})(?P<others>(?:, {_NAME})*),? and (?P<final>{_NAME})"
)
_CHOOSES = re.compile(r"\b(?:choose|decide|pick|select)\s$")
# A preposition before the list, which goes to the front: "In which of Oslo and Turku".
_PREPOSITION = re.compile(r"(?:^|\s)(?P<word>in|at|from|to|for|on|with|against|into)\s$")
_DECIDE = re.compile(r"\b(?:decide|pick|select)$")  # "decide between Oslo and Turku"
_DATE = re.compile(r"\sby\s(?:\d{1,2}\s)?(?:[A-Z][a-z]+\s)?\d{4}$")
_MONTH_OR_DAY = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|\w+day)\b"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A multiple-choice question and its options."""

    question: str
    options: tuple[str, ...]


def ask_choice(subject: str, predicate: str) -> Choice | None:
    """Return the choice that "Will {subject} {predicate}?" hides, if any."""
    if found := _LIST.fullmatch(subject):
        options = _options(found, "")
        if options is None:
            return None
        return _choice(options, predicate)
    for found in _LIST.finditer(predicate):
        before, after = predicate[: found.start()], predicate[found.end() :]
        options = _options(found, before)
        if options is None or " whether " in before:
            continue
        after = after.partition(" and ")[0]  # without another clause, and its date
        if before == "be ":
            return _choice(options, f"be {subject}{after}")
        if before.endswith(" by "):  # not "built by by 31 March"
            after = _DATE.sub("", after)
        if found["between"]:
            before = _DECIDE.sub("choose", before.strip())
        preposition = _PREPOSITION.search(before)
        if preposition:
            before = before[: preposition.start()]
        rest = f"{subject} {before.strip()}{after}"
        return _choice(options, rest, preposition["word"] if preposition else "")
    return None


def _options(found: re.Match[str], before: str) -> tuple[str, ...] | None:
    if found["between"]:
        names = f"{found['one']}{found['others']}, {found['final']}".split(", ")
        return tuple(names) if _CHOOSES.search(before) else None
    names = f"{found['first']}{found['middle']}, {found['last']}".split(", ")
    if any(_MONTH_OR_DAY.match(name) for name in names):
        return None
    if found["either"]:
        return tuple(names)
    return (*names, "Other") if len(names) > 2 else None


def _choice(options: tuple[str, ...], rest: str, preposition: str = "") -> Choice:
    *names, last = [name for name in options if name != "Other"]
    which = f"{preposition} which".strip().capitalize()
    return Choice(f"{which} of {', '.join(names)} and {last} will {rest}?", options)
