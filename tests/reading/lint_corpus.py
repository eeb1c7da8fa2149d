"""Clean questions with seeded faults, to measure the linter (``questions_to_lint.txt``).

A question has three lines: its title, its criteria, and a sentence that tells its outcome. In
``[x:clean|seeded]`` the first part belongs to the clean question, the second to the one with the
fault ``x``; parts may be nested. A word after @ gives the type, or that the unit is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from forecasts.common.vocabulary import QuestionType
from forecasts.reading.lint import Written

SEEDS = {
    "d": ("no_deadline",),
    "o": ("deadline_over",),
    "s": ("no_source",),
    "v": ("vague_threshold",),
    "r": ("relative_words",),
    "q": ("several_questions",),
    "p": ("unnamed",),
    "z": ("time_zone",),
    "f": ("source_ends",),
    "c": ("title_contradicted",),
    "k": ("outcome_known",),
    "n": ("never_no",),
}
NOW = datetime(2026, 8, 3, 9, tzinfo=UTC)
_PART = re.compile(r"\[(\w):([^\[\]|]*)\|([^\[\]|]*)\]")


@dataclass(frozen=True)
class Seeded:
    """A question, the codes of which one names its fault (none if it is clean), and its number."""

    question: Written
    codes: tuple[str, ...]
    number: int

    @property
    def held_out(self) -> bool:
        """Whether the rules were written without this question."""
        return self.number % 2 == 1


def corpus() -> Iterator[Seeded]:
    """Yield each clean question, and after it each of its seeded faults."""
    path = Path(__file__).with_name("questions_to_lint.txt")
    for number, block in enumerate(path.read_text(encoding="utf-8").strip().split("\n---\n")):
        clean = _question(block, "")
        yield Seeded(clean, (), number)
        for seed, codes in SEEDS.items():
            question = _question(block, seed)
            if seed == "o":
                question = _over(question, number)
            elif seed == "k":
                question = replace(question, background=block.splitlines()[2])
            if question != clean:
                yield Seeded(question, codes, number)


def _question(block: str, seed: str) -> Written:
    title, criteria, _ = block.splitlines()
    words, *marks = criteria.split(" @")
    kind, options = QuestionType.binary, ()
    for mark in marks:
        name, _, rest = mark.partition(" ")
        if name in QuestionType.__members__:
            kind = QuestionType(name)
        if name == "options":
            kind, options = QuestionType.multiple_choice, tuple(rest.split(","))
    if kind is not QuestionType.binary and seed in ("c", "n") and kind is not QuestionType.date:
        seed = ""
    texts = [" ".join(_as(seed, text).split()) for text in (title, words)]
    closes = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
    bounds = {"lower_bound": "2026-09-01", "upper_bound": "2027-12-31"}
    return Written(
        title=texts[0].replace(" ,", ","),
        resolution_criteria=texts[1].replace(" ,", ",").replace(" .", "."),
        type=kind,
        options=options,
        unit="medals" if "unit" in marks else "",
        open_time=NOW,
        scheduled_close_time=closes,
        **(bounds if kind is QuestionType.date else {}),
    )


def _as(seed: str, text: str) -> str:
    while found := _PART.search(text):
        chosen = found[3] if found[1] == seed else found[2]
        text = text[: found.start()] + chosen + text[found.end() :]
    return text


def _over(question: Written, number: int) -> Written:
    """Return the question with its days in 2025, or opened after the close."""
    if number % 4 < 2 or question.type is QuestionType.date:
        return replace(question, open_time=datetime(2028, 9, 1, tzinfo=UTC))
    texts = (question.title, question.resolution_criteria)
    title, criteria = (re.sub(r"\b202[678]\b", "2025", text) for text in texts)
    return replace(question, title=title, resolution_criteria=criteria)


def unseen() -> list[Written]:
    """Return clean questions that were written without looking at the rules: title, criteria."""
    kinds = {
        "When": QuestionType.date,
        "How many": QuestionType.numeric,
        "What": QuestionType.numeric,
        "Who": QuestionType.multiple_choice,
    }
    found = []
    path = Path(__file__).with_name("clean_unseen.txt")
    for block in path.read_text(encoding="utf-8").strip().split("\n---\n"):
        title, criteria = block.split("\n")
        fits = (kind for begin, kind in kinds.items() if title.startswith(begin))
        kind = next(fits, QuestionType.binary)
        options = ("Ana Ruiz", "Other") if kind is QuestionType.multiple_choice else ()
        found.append(Written(title, criteria, type=kind, options=options))
    return found
