"""docs/architecture.md names what is there, and its drawing is that of the imports today."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = sorted(
    path.parent
    for tree in ("app", "forecasts", "scoring")
    for path in (ROOT / tree).rglob("__init__.py")
)
CODE = sorted(
    path
    for tree in ("app", "forecasts", "scoring")
    for path in (ROOT / tree).rglob("*.py")
    if "versions" not in path.parts
)
HEAVY = {
    *("alembic", "apprise", "charset_normalizer", "feedparser", "httpx", "lxml", "numpy", "pandas"),
    *("pyarrow", "psycopg", "pydantic", "rich", "scipy", "streamlit", "trafilatura", "typst"),
    *("datasketch", "jinja2", "keyring", "pypdf"),
    *("cryptography", "distributed", "duckdb", "rfc3161_client", "uvicorn"),  # of extras
    *("forecasts.api.server", "forecasts.api.mcp.server", "forecasts.common.guarded_server"),  # too
}


@pytest.mark.slow
def test_the_drawing_is_that_of_the_imports() -> None:
    path = ROOT / "docs" / "write_architecture.py"
    spec = importlib.util.spec_from_file_location("write_architecture", path)
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert writer.with_drawing(PAGE) == PAGE, "run: make docs"


def test_every_path_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:app|forecasts|scoring|docs|tests)/[\w./]*)`", PAGE)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_function_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(\w+)` of `([\w/]+\.py)`", PAGE)
    assert len(named) >= 7
    for function, path in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_package_describes_its_contents() -> None:
    said = {path: ast.get_docstring(ast.parse(_text(path / "__init__.py"))) for path in PACKAGES}
    assert [_name(path) for path, words in said.items() if not words] == []


@pytest.mark.slow
def test_only_heavy_libraries_are_imported_late() -> None:
    """Or modules of ours that load them, with a comment that says so."""
    found = {_name(path): _wrongly_late(path) for path in CODE}
    assert {path: names for path, names in found.items() if names} == {}


def test_only_the_list_of_commands_imports_by_name() -> None:
    found = [_name(path) for path in CODE if "import_module" in _text(path)]
    assert found == ["forecasts/cli/root.py"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _wrongly_late(path: Path) -> list[str]:
    """Return the light modules that a function of the file imports."""
    text = _text(path)
    if not re.search(r"^ +(?:import|from) ", text, re.MULTILINE):
        return []
    lines = text.splitlines()
    return [
        name
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
        if not {name, name.split(".")[0]} & HEAVY
        if not any("# " in line and "load" in line for line in lines[node.lineno - 4 : node.lineno])
    ]


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]
