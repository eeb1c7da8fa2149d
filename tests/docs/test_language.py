"""Plain English in docstrings, comments, help, errors, pages and documents.

The patterns are the worst of what used to be here; style is more than they can hold.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [
    path
    for folder in ("forecasts", "app", "scoring", "benchmarks", "docs")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "versions" not in path.parts
]
PAGES = [
    path
    for path in [
        *(ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))),
        ROOT / "forecasts" / "reports" / "glossary.toml",
    ]
    if path.is_file()
]
_BEFORE_A_CLAUSE = (
    "about|after|as|at|because of|before|behind|beside|beyond|but|by|for|from|in|into|like|of|on|"
    "over|than|through|to|under|upon|with|without"
)
_VERBS = (
    "add|allow|ask|bring|build|check|compare|compute|count|decide|draw|end|enter|fetch|find|"
    "forget|get|give|hold|import|keep|know|leave|let|list|look up|make|mark|mean|move|name|need|"
    "offer|open|pass|print|put|read|refuse|remove|return|say|score|see|send|set|settle|show|sort|"
    "state|store|take|tell|turn|use|write"
)
# "What kind", "say who is better": a question, not a noun.
_ASKED = "(kind|time|day|if|is better|is first)"
_IS = r"\b(?:is|are|was|were)"
# Each pattern, with what to write instead.
PATTERNS = {
    r"\bwho(m)?ever\b": "someone, a member, anyone who",
    r"\banew\b": "again",
    r"\b(of|for|to|by|from|with) whom\b": "name the person and start a new sentence",
    r"\bthat which\b": "the thing itself",
    rf"(?<![Tt]here ){_IS} no (?!longer|more than|fewer|less|later|earlier|better)\w": "is not a",
    rf"(?<![Tt]here ){_IS} none\b": "is not one, has none",
    rf"({_IS}|\b(stands?|does)) [a-z ]*no more\b(?! than)": "no longer",
    r"\bcan never\b": "cannot",
    r"\bshall (?!sh)": "will, must",
    r"\btak(e|es|en|ing) (\w+ ){0,3}away\b": "remove",
    r"\bstands? (as|still|there|alone|now|beside|behind|before|above|below|in|on|with|until)\b": (
        "is, is current"
    ),
    rf"\b(?i:{_VERBS})s? (what|who|whom|whatever)\b(?! {_ASKED}\b)": "a noun",
    rf"\b({_BEFORE_A_CLAUSE}) (what|whatever|who)\b": "a noun",
    r"(^|[.:;!?] )What (?![^.?]*\?)": "a noun as the subject",
    r"(^|[.:;!?] )(Who|Whose|Whom) (?![^.?]*\?)": "a noun as the subject",
    r"[\d}] %": "12% without a space",
}


def _spoken(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, comment and string that a person may read."""
    for number, line in enumerate(source.splitlines(), 1):
        if comment := re.search(r"(?:^ *|  )# (.*)", line):
            yield number, comment[1]
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values))
            parts = [part.value if isinstance(part, ast.Constant) else "}" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and id(node) not in inside
            and isinstance(node.value, str)
            and " " in node.value
        ):
            yield node.lineno, node.value


def faults(texts: Iterator[tuple[int, str]]) -> list[str]:
    """Return a line for each passage that a pattern finds."""
    return [
        f"line {line}: …{text[max(0, match.start() - 30) : match.end() + 30].strip()}… ({instead})"
        for line, text in ((line, re.sub(r"\s+", " ", text)) for line, text in texts)
        for pattern, instead in PATTERNS.items()
        for match in re.finditer(pattern, text)
    ]


def _of_page(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each paragraph, without code and quotations."""
    text = re.sub(
        r"```.*?```|`[^`\n]*`", lambda m: "\n" * m[0].count("\n"), text, flags=re.S | re.M
    )
    line = 1
    for paragraph in text.split("\n\n"):
        yield line, paragraph
        line += paragraph.count("\n") + 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paths", "texts"), [(CODE, _spoken), (PAGES, _of_page)], ids=["code", "documents"]
)
def test_the_words_are_plain_english(
    paths: list[Path], texts: Callable[[str], Iterator[tuple[int, str]]]
) -> None:
    found = {str(path.relative_to(ROOT)): faults(texts(path.read_text("utf-8"))) for path in paths}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Refuse what says just what stands.",
        "the condition that whoever reads may see",
        "A PDF is no text for a terminal.",
        "scores are made anew",
        "What resolvers found is proposed.",
        "crowd of 10: 88 % to 59 %",
    ],
)
def test_a_sentence_of_before_is_found(text: str) -> None:
    assert faults(iter([(1, text)]))


@pytest.mark.parametrize(
    "text",
    [
        "Refuse a resolution identical to the current one.",
        "There is no question of that name.",
        "What would you like to do?",
        "It is no longer checked automatically.",
        "crowd (10): 88% → 59%",
    ],
)
def test_plain_english_is_let_pass(text: str) -> None:
    assert faults(iter([(1, text)])) == []
