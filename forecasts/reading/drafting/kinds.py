"""Numeric and multiple-choice questions in the place of a yes/no one.

A range of amounts becomes a number: "between 2 and 4 percent" becomes "What will inflation be, in
percent?". It counts if the verb takes an amount ("will cost 120 to 180 million crowns", "will
recall between 300 and 350 cars") or the subject is one ("Between 40 and 50 stores will close").
Ages, times and scores do not. The bounds leave room for twice the width of the range on both sides.

A list of names becomes options: "in Oslo, Bergen or Turku" becomes "In which of … will …?". It
counts if one of them excludes the others: three or more with "or", two after "either", or those
after "choose between". Lists of common nouns ("headaches, nausea or fever") do not exclude each
other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from forecasts.common.vocabulary import QuestionType
from forecasts.reading.intervals import MONTHS

# As a question ends: "by 31 December 2028".
BY_DATE = re.compile(r"(?:^|\s)(?:by|until|from) (?:\d{1,2} )?(?:[A-Z][a-z]+ )?\d{4}\b")

_NUMBER = r"\d[\d.,]*(?<=\d)"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|m|bn|tn)\b)"
_PERCENT = r"(?:\s?%|\sper\s?cent\b)"
_RANGE = re.compile(
    rf"(?i)(?P<between>\b(?:between|from)\s)?(?<![\w.,-])(?P<sign>[€$£¥]?)(?P<low>{_NUMBER})"
    rf"(?P<low_scale>{_SCALE})?{_PERCENT}?"
    rf"(?:\s(?:and|to)\s|\s?[–-]\s?)[€$£¥]?(?P<high>{_NUMBER})(?P<scale>{_SCALE})?"
    rf"(?P<percent>{_PERCENT})?(?![\w,.]?\d)"
)
_NOUN = re.compile(
    r"\s?(?P<noun>(?!(?:by|until|from|in|on|at|if|this|next)\b)[a-z][a-z-]+"
    r"(?:\s(?:an?|per)\s[a-z]+)?)"
)
_OF = re.compile(r"\sof\s[a-z]+")
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_MONEY = re.compile(
    r"\b(?:dollars|euros|pounds|yen|crowns|kroner|kronor|francs|rupees|yuan|pesos|rand|cents)\b"
)
_SCALES = {"m": "million", "bn": "billion", "tn": "trillion"}
# "Turnout will be", "the deficit will reach", "oil will trade": the amount is a level.
_LEVEL = re.compile(
    r"(?i)be|average|reach|hit|total|exceed|(?:come in|stand|stay|remain|trade|hover|peak|settle) ?"
    r"(?:at|in)?|(?:rise|fall|drop|climb|grow|shrink|slow|ease|increase|decline|narrow|widen) to"
)
_NEEDS_AT = re.compile(r"(?:come in|trade|peak)$")
_STATES = re.compile(r"(?:stand|stay|remain|hover|settle)(?: at| in)?$")
# "Prices will rise 3 to 5 percent": the amount is a change.
_CHANGE = re.compile(
    r"(?P<verb>rise|fall|drop|climb|grow|shrink|increase|decline|expand|contract)(?: by)?"
)
_VERB = re.compile(r"[a-z-]+(?: (?:up|out|off|down|in))?")

_NAME = (
    r"(?:(?:the|an?) (?:[a-z-]+ ){0,2}?)?[A-Z][\w.&'’-]*(?: (?:of |de |al-)?[A-Z0-9][\w.&'’-]*)*"
)
_LIST = re.compile(
    rf"\b(?P<lead>[Ee]ither |between )?(?P<names>{_NAME}(?:, {_NAME})*),? (?P<joiner>or|and) "
    rf"(?P<last>{_NAME})"
)
_CHOOSES = re.compile(r"\b(?:choose|decide|pick|select)\s$")
# A preposition before the list, which goes to the front: "In which of Oslo and Turku".
_PREPOSITION = re.compile(r"(?:^|\s)(?P<word>in|at|from|to|for|on|with|against|into)\s$")
_MONTH_OR_DAY = re.compile(rf"(?:{'|'.join(MONTHS)}|\w+day)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, with the options, or the bounds and the unit, to propose for its ``kind``."""

    question: str
    kind: QuestionType = QuestionType.binary
    options: tuple[str, ...] = ()
    lower_bound: str | None = None
    upper_bound: str | None = None
    unit: str | None = None


def ask_amount(subject: str, predicate: str) -> Asked | None:
    """Return the question about an amount that "Will {subject} {predicate}?" hides, if any."""
    if found := _RANGE.match(subject):
        noun = subject[found.end() :].strip()
        if found["between"] and noun and not found["sign"]:
            counted = f"{_scale(found)} {noun}".strip()
            return _amount(f"How many {counted} will {predicate}?", found, counted)
        return None
    found = _RANGE.search(predicate)
    if found is None:
        return None
    before, after = predicate[: found.start()].strip(), predicate[found.end() :]
    unit, rest = _unit(found, after)
    in_unit = f", in {unit}" if unit else ""
    if subject == "there" and before == "be" and unit:
        return _amount(f"How many {unit} will there be{rest}?", found, unit)
    if level := _LEVEL.fullmatch(before):
        verb = f"{level[0]} at" if _NEEDS_AT.search(level[0]) else level[0]
        verb = "reach" if verb == "exceed" else "be" if _STATES.match(verb) else verb
        return _amount(f"What will {subject} {verb}{rest}{in_unit}?", found, unit)
    if (change := _CHANGE.fullmatch(before)) and found["percent"]:
        return _amount(f"How much will {subject} {change['verb']}{rest}{in_unit}?", found, unit)
    if not unit or not _VERB.fullmatch(before) or (found["between"] or "").startswith("from"):
        return None
    if found["sign"] or _MONEY.search(unit):
        return _amount(f"How much will {subject} {before}{rest}{in_unit}?", found, unit)
    if found["percent"] or not unit.endswith(("s", "people")):
        return None
    of = _OF.match(rest)
    end = of.end() if of else 0
    return _amount(f"How many {unit}{rest[:end]} will {subject} {before}{rest[end:]}?", found, unit)


def _unit(found: re.Match[str], after: str) -> tuple[str, str]:
    """Return the unit of the range, and the rest of the words after it."""
    if found["percent"]:
        return "percent", after
    noun = _NOUN.match(after)
    if found["sign"]:
        name = _CURRENCIES[found["sign"]]
    elif noun is None or BY_DATE.fullmatch(after):
        name = ""
    else:
        name, after = noun["noun"], after[noun.end() :]
    return f"{_scale(found)} {name}".strip(), after


def _scale(found: re.Match[str]) -> str:
    scale = (found["scale"] or "").strip().lower()
    return _SCALES.get(scale, scale)


def _amount(question: str, found: re.Match[str], unit: str) -> Asked | None:
    low, high = (Decimal(found[name].replace(",", "")) for name in ("low", "high"))
    if low >= high or (found["low_scale"] or found["scale"]) != found["scale"]:
        return None  # "800,000 to 1.2 million" has two scales
    room = 2 * (high - low)
    return Asked(
        question=re.sub(r"\s+", " ", question),
        kind=QuestionType.numeric,
        lower_bound=_plain(max(low - room, Decimal(0)) if low >= 0 else low - room),
        upper_bound=_plain(high + room),
        unit=unit or None,
    )


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ask_choice(subject: str, predicate: str) -> Asked | None:
    """Return the choice that "Will {subject} {predicate}?" hides, if any."""
    if found := _LIST.fullmatch(subject):
        options = _options(found, "")
        return _choice(options, predicate) if options else None
    for found in _LIST.finditer(predicate):
        before, after = predicate[: found.start()], predicate[found.end() :]
        options = _options(found, before)
        if not options or " whether " in before:
            continue
        after = after.partition(" and ")[0]  # without another clause, and its date
        if before == "be ":
            return _choice(options, f"be {subject}{after}")
        if before.endswith(" by "):  # not "built by by 31 March"
            after = BY_DATE.sub("", after)
        if found["lead"] == "between ":
            before = re.sub(r"\b(?:decide|pick|select) $", "choose", before)
        word = ""
        if preposition := _PREPOSITION.search(before):
            before, word = before[: preposition.start()], preposition["word"]
        return _choice(options, f"{subject} {before.strip()}{after}", word)
    return None


def _options(found: re.Match[str], before: str) -> list[str]:
    """Return the names in a list, with "Other" if there may be more; none if it is not a choice."""
    names = [*found["names"].split(", "), found["last"]]
    if found["joiner"] == "and":
        return names if found["lead"] == "between " and _CHOOSES.search(before) else []
    if found["lead"] == "between " or any(map(_MONTH_OR_DAY.match, names)):
        return []
    return names if found["lead"] else [*names, "Other"] if len(names) > 2 else []


def _choice(options: list[str], rest: str, preposition: str = "") -> Asked:
    *names, last = [name for name in options if name != "Other"]
    which = f"{preposition} which".strip().capitalize()
    return Asked(
        question=f"{which} of {', '.join(names)} and {last} will {rest}?",
        kind=QuestionType.multiple_choice,
        options=tuple(options),
    )
