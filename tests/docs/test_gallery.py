"""The gallery shows every page, and every picture that it names is there."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "gallery.md"
FOLDER = ROOT / "docs" / "gallery"


def test_the_page_equals_its_commands_output() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "write_gallery.py"))
    assert PAGE.read_text(encoding="utf-8") == script["written"](), (
        "docs/gallery.md is out of date: make gallery"
    )


def test_every_picture_is_there_and_none_that_is_not_shown() -> None:
    named = set(re.findall(r"\]\(gallery/([^)]+)\)", PAGE.read_text(encoding="utf-8")))
    assert named
    in_readme = re.findall(r"\]\(docs/gallery/([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert named | set(in_readme) == {path.name for path in FOLDER.iterdir()}


def test_every_page_of_the_navigation_has_a_picture() -> None:
    navigation = (ROOT / "app" / "navigation.py").read_text(encoding="utf-8")
    titles = re.findall(r'st\.Page\([^)]*title="([^"]+)"', navigation)
    assert len(titles) == navigation.count("st.Page(")
    _, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    shown = {section.splitlines()[0] for section in sections if "](gallery/" in section}
    assert set(titles) - shown == set()


def test_the_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
