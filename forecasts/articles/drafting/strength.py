"""The strength of a draft: how sure the grammar is of it, and why.

A draft is weak if its question has a gap, if a pronoun was read from another sentence, or if the
sentence only supposes something and gives no deadline. The page folds weak drafts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from textwrap import shorten

from forecasts.articles.drafting.pronouns import UNNAMED
from forecasts.articles.drafting.question_wording import Wording
from forecasts.articles.drafting.tense import IRREGULAR


class Strength(StrEnum):
    """How sure the grammar is of a draft."""

    strong = "strong"
    weak = "weak"


_EVENT = re.compile(rf"be (?:[a-z]+ly )?(?:[a-z]{{3,}}(?:ed|en|wn)|{IRREGULAR})\b")
_STATE = re.compile(r"(?:be|remain|stay|have|continue|keep|become|seem|affect|help|need)\b")
_THIS = re.compile(r"(?:this|these|that|those|such)\b", re.IGNORECASE)


def judge(wording: Wording, sentence: str) -> tuple[Strength, str]:
    """Return the strength of a sentence's draft, and the reason for it in a few words."""
    cue, deadline = wording.outlook.cue, wording.outlook.deadline
    words = deadline.phrase if deadline and cue.kind == "date" else wording.outlook.match.group()
    said = f"“{shorten(words, 40, placeholder=' …')}”"
    if not wording.question:
        return Strength.weak, "no clear subject or verb"
    if UNNAMED in wording.question:
        return Strength.weak, "someone or something is not named"
    if wording.left_out:
        return Strength.weak, f"leaves out “{wording.left_out}”"
    if not _names(sentence, wording.subject):
        return Strength.weak, f"“{wording.subject}” is from a sentence before"
    if _THIS.match(wording.subject):
        return Strength.weak, f"“{wording.subject}” is not named"
    if deadline is not None:
        if cue.kind == "date" and not wording.predicate.startswith("take place"):
            return Strength.weak, "a date without a clear verb"
        return Strength.strong, f"{said}, with a deadline"
    if cue.kind in ("might", "would", "planned", "was bound"):
        return Strength.weak, f"only {said}, and no deadline"
    if _STATE.match(wording.predicate) and not _EVENT.match(wording.predicate):
        return Strength.weak, f"{said} describes a state, without a deadline"
    return Strength.strong, f"{said}, without a deadline"


def _names(sentence: str, subject: str) -> bool:
    """Return whether the sentence itself has the subject, and not only a pronoun for it."""
    words = re.findall(r"\w+", subject.lower())
    is_any = bool(words) and words[0] in ("any", "anybody", "anything", "either", "there")
    return is_any or set(words) - {"s"} <= set(re.findall(r"\w+", sentence.lower()))
