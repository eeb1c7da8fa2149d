"""Numeric questions: "between 2 and 4 percent" becomes "What will inflation be, in percent?".

A range counts if the verb takes an amount ("will cost 120 to 180 million crowns", "will recall
between 300 and 350 cars") or the subject is one ("Between 40 and 50 stores will close"). Ages,
times and scores do not. The bounds leave room for twice the width of the range on both sides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = r"\d[\d.,]*(?<=\d)"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|m|bn|tn)\b)"
_PERCENT = r"(?:\s?%|\sper\s?cent\b)"
_RANGE = re.compile(
    rf"(?P<between>\b(?:between|from)\s)?(?<![\w.,-])(?P<sign>[€$£¥]?)(?P<low>{_NUMBER})"
    rf"(?P<low_scale>{_SCALE})?{_PERCENT}?"
    rf"(?:\s(?:and|to)\s|\s?[–-]\s?)[€$£¥]?(?P<high>{_NUMBER})(?P<scale>{_SCALE})?"
    rf"(?P<percent>{_PERCENT})?(?![\w,.]?\d)",
    re.IGNORECASE,
)
_NOUN = re.compile(r"\s?(?P<noun>(?!(?:by|until|from|in|on|at|if|this|next)\b)[a-z][a-z-]+)")
_OF = re.compile(r"\sof\s[a-z]+")
_PER = re.compile(r"\s(?:an?|per)\s[a-z]+")
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_SCALES = {"m": "million", "bn": "billion", "tn": "trillion"}
_DATE = re.compile(r"\s(?:by|until|from)\s(?:\d{1,2}\s)?(?:[A-Z][a-z]+\s)?\d{4}$")

# "Turnout will be", "the deficit will reach", "oil will trade": the amount is a level.
_LEVEL = re.compile(
    r"(?:be|average|reach|hit|total|exceed|(?:come in|stand|stay|remain|trade|hover|peak|settle) ?"
    r"(?:at|in)?|(?:rise|fall|drop|climb|grow|shrink|slow|ease|increase|decline|narrow|widen) to)",
    re.IGNORECASE,
)
_NEEDS_AT = re.compile(r"(?:come in|trade|peak)$")
_STATES = re.compile(r"(?:stand|stay|remain|hover|settle)(?: at| in)?$")
# "Prices will rise 3 to 5 percent": the amount is a change.
_CHANGE = re.compile(
    r"(?P<verb>rise|fall|drop|climb|grow|shrink|increase|decline|expand|contract)(?: by)?"
)
_VERB = re.compile(r"[a-z-]+(?: (?:up|out|off|down|in))?")


@dataclass(frozen=True, slots=True)
class Amount:
    """A numeric question, with bounds and a unit to propose."""

    question: str
    lower_bound: str
    upper_bound: str
    unit: str


def ask_amount(subject: str, predicate: str) -> Amount | None:
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
    if subject == "there" and before == "be" and unit:
        return _amount(f"How many {unit} will there be{rest}?", found, unit)
    if level := _LEVEL.fullmatch(before):
        verb = f"{level[0]} at" if _NEEDS_AT.search(level[0]) else level[0]
        verb = "reach" if verb == "exceed" else "be" if _STATES.match(verb) else verb
        return _amount(f"What will {subject} {verb}{rest}{_in(unit)}?", found, unit)
    if (change := _CHANGE.fullmatch(before)) and found["percent"]:
        return _amount(f"How much will {subject} {change['verb']}{rest}{_in(unit)}?", found, unit)
    if not unit or not _VERB.fullmatch(before) or (found["between"] or "").startswith("from"):
        return None
    if found["sign"] or _is_money(unit):
        return _amount(f"How much will {subject} {before}{rest}{_in(unit)}?", found, unit)
    if found["percent"]:
        return None
    if not unit.endswith("s") and not unit.endswith("people"):
        return None
    of = _OF.match(rest)
    thing = f"{unit}{of[0]}" if of else unit
    rest = rest[len(of[0]) :] if of else rest
    return _amount(f"How many {thing} will {subject} {before}{rest}?", found, unit)


def _unit(found: re.Match[str], after: str) -> tuple[str, str]:
    """Return the unit of the range, and the rest of the words after it."""
    if found["percent"]:
        return "percent", after
    if found["sign"]:
        return f"{_scale(found)} {_CURRENCIES[found['sign']]}".strip(), after
    noun = _NOUN.match(after)
    if noun is None or _DATE.fullmatch(after):
        return _scale(found), after
    name, after = noun["noun"], after[noun.end() :]
    if per := _PER.match(after):
        name, after = name + per[0], after[per.end() :]
    return f"{_scale(found)} {name}".strip(), after


def _scale(found: re.Match[str]) -> str:
    scale = (found["scale"] or "").strip().lower()
    return _SCALES.get(scale, scale)


def _is_money(unit: str) -> bool:
    words = r"dollars|euros|pounds|yen|crowns|kroner|kronor|francs|rupees|yuan|pesos|rand|cents"
    return re.search(rf"\b(?:{words})\b", unit) is not None


def _in(unit: str) -> str:
    return f", in {unit}" if unit else ""


def _amount(question: str, found: re.Match[str], unit: str) -> Amount | None:
    low, high = (Decimal(found[name].replace(",", "")) for name in ("low", "high"))
    if low >= high or (found["low_scale"] or found["scale"]) != found["scale"]:
        return None  # "800,000 to 1.2 million" has two scales
    room = 2 * (high - low)
    lower = max(low - room, Decimal(0)) if low >= 0 else low - room
    question = re.sub(r"\s+", " ", question)
    return Amount(question, _plain(lower), _plain(high + room), unit)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
