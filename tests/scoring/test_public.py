"""The public functions document their result, errors, an example and a source, as does the page.

The page's ten lines run, and it lists every public name once.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import scoring
from tests.scoring.ten_days import by_ana, question

FUNCTIONS = [name for name in scoring.__all__ if inspect.isfunction(getattr(scoring, name))]
OTHERS = [name for name in scoring.__all__ if inspect.isclass(getattr(scoring, name))]
DEFINED = "a definition of this package"
PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")


def described(thing: Any) -> str:
    """The docstring, and that of the module, which describes common arguments."""
    module = importlib.import_module(thing.__module__)
    return f"{inspect.getdoc(thing)}\n{inspect.getdoc(module)}"


def test_the_package_is_typed_and_no_function_hides_a_module() -> None:
    assert Path(scoring.__file__).with_name("py.typed").exists()
    modules = {module.name for module in pkgutil.iter_modules(scoring.__path__)}
    assert modules & set(scoring.__all__) == set()


def test_simulation_is_imported_by_its_own_name() -> None:
    code = "import scoring, sys; sys.exit('scoring.simulation' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_its_result_its_error_a_source_and_an_example(name: str) -> None:
    function = getattr(scoring, name)
    own, text = inspect.getdoc(function) or "", described(function)
    if "`scoring.calibration`" in text:
        text += described(scoring.decompose)
    assert own.startswith("Return ")
    assert ">>> " in own  # pytest runs all doctests of the package
    assert "InputError" in text
    # Its own source or the module's. An unpublished formula says so.
    assert "doi:" in text or "https://" in text or DEFINED in text
    for argument in inspect.signature(function).parameters.values():
        if argument.name in ("p", "y", "levels", "values", "outcome"):
            assert argument.kind is inspect.Parameter.KEYWORD_ONLY


def test_every_shared_function_says_its_result() -> None:
    begins = ("Return", "Raise", "Note", "Average", "Take", "Compare")
    for module in pkgutil.walk_packages(scoring.__path__, "scoring."):
        inside = inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
        for name, function in inside:
            if function.__module__ == module.name and not name.startswith("_"):
                text = inspect.getdoc(function) or ""
                assert text.split(" ", 1)[0] in begins, f"{module.name}.{name}"


@pytest.mark.parametrize("name", OTHERS)
def test_each_class_has_a_docstring(name: str) -> None:
    text = inspect.getdoc(getattr(scoring, name)) or f"{name}("
    assert not text.startswith(f"{name}(")


def test_the_page_about_scores_names_every_protocol() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scores.md").read_text(encoding="utf-8")
    assert [name for name in scoring.PROTOCOLS if f"`{name}`" not in page] == []


def test_the_worked_example_of_the_page_about_scores_is_right() -> None:
    questions, forecasts = question(), by_ana((0, 0.4), (4, 0.9))
    found = scoring.score(questions, forecasts, ["brier", "brier_original", "brier_final"])
    assert found["score"].tolist() == pytest.approx([0.15, 0.01, 0.30])
    assert found["coverage"].tolist() == [1.0] * 3


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
