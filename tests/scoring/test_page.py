"""The page about the library: its ten lines run, and it lists every public name once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import scoring

PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")


def test_the_first_lines_run_and_print_scores(capsys: pytest.CaptureFixture[str]) -> None:
    [lines] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(lines, "docs/scoring.md", "exec"), {})
    printed = capsys.readouterr().out
    # Ana: 0.36 over four days, 0.01 over six. The crowd is the median of 0.9 and 0.6.
    assert re.search(r"ana +brier +0\.15\b", printed)
    assert "\n0.75\n" in printed
    assert "Decomposition(score=0.27" in printed


def test_the_page_lists_every_public_name_once_with_a_source() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    public = set(scoring.__all__) - {"InputError", "__version__"}
    assert sorted(named) == sorted(public)
    assert all(re.search(r"\d{4}|defined here|https:|\.md", row[2]) for row in rows)
