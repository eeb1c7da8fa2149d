"""Findings of the linter, as every interface shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forecasts.reading.lint import Finding
from forecasts.views.view import View


class LintFix(View):
    """A change that ends a finding; "[…]" in it is for the author to fill in."""

    field: str
    old: str = Field(description="the words to replace; blank to add a sentence")
    new: str


class LintFinding(View):
    """A fault of a question's wording, or advice."""

    code: str = Field(description="the rule, as in the table of docs/articles.md")
    level: Literal["fault", "advice"]
    field: str
    words: str = Field(description="the words it is about; blank if something is missing")
    start: int | None = Field(description="where they begin in the field, in characters")
    why: str
    fix: LintFix | None


class LintedQuestion(View):
    """A question with the findings on its wording, faults first."""

    question: str = Field(description="its title")
    findings: list[LintFinding]


def linted(title: str, findings: list[Finding]) -> LintedQuestion:
    """Return the view of a question's findings."""
    return LintedQuestion(
        question=title,
        findings=[
            LintFinding.of(one, fix=None if one.fix is None else LintFix.of(one.fix))
            for one in findings
        ],
    )
