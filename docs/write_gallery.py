"""Write docs/gallery.md and its pictures from the app itself; ``make gallery`` runs it.

The demonstration is built anew in a folder that is thrown away, served with a clock that stands
still, and opened in Chromium page by page as a person opens it. So the same code draws the same
pictures, but for a pixel here and there, and a change of a page shows as a change of its picture.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock
from urllib.parse import urlencode

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).with_name("gallery")
# The time of every picture: nothing in them grows older than it was.
MOMENT = datetime(2026, 11, 25, 9, tzinfo=UTC)
READER = "Emi (simulated)"
WIDE, NARROW = 1280, 390
WINDOW = 900  # pixels of a window's height, to begin with
TALLEST = {WIDE: 2400, NARROW: 2500}  # of a picture; what is below is left out
COLOURS = 96  # of a picture that are kept as they are, and as many beside them
# What the server runs: the app as the command serves it, in this one process, where its clock
# stands still and what it draws by lot is the same each time.
SERVER = f"""
import os, secrets, sys
from datetime import datetime
import app.session
from forecasts.cli import serve
from forecasts.cli.main import main

def run(command, environment):
    os.environ.update(environment)
    sys.argv = command[2:]
    from streamlit.web.cli import main as streamlit
    return streamlit()

app.session.now = lambda: datetime.fromisoformat({MOMENT.isoformat()!r})
secrets.randbits = lambda _: 1
serve._run = run
main()
"""

Steps = Callable[["Page"], None]


@dataclass(frozen=True)
class Shot:
    """A picture: what it is called, what it shows, and how one comes to it."""

    name: str
    shows: str
    address: str = ""
    query: dict[str, str] = field(default_factory=dict)
    steps: Steps | None = None
    dark: bool = False
    empty: bool = False

    @property
    def files(self) -> dict[int, str]:
        """Return the file of the picture of each width."""
        widths = (WIDE,) if self.dark else (WIDE, NARROW)
        return {width: f"{self.name}-{width}.png" for width in widths}

    @property
    def path(self) -> str:
        """Return the address of what is shown, from the root of the app."""
        return f"/{self.address}" + (f"?{urlencode(self.query)}" if self.query else "")


def answered(page: Page) -> None:
    """Answer three questions of Practice, and ask for the next one."""
    for more in (20, 25, 0):
        for _ in range(more):
            page.get_by_role("slider").press("ArrowRight")
        page.get_by_role("button", name="Answer", exact=True).click()
        page.get_by_role("button", name="Next question", exact=True).click()
        page.get_by_role("button", name="Answer", exact=True).wait_for()


PAGES: dict[str, tuple[str, list[Shot]]] = {
    "Today": (
        "One makes one's round here: what closes soon, what to look at again, what was resolved.",
        [
            Shot("today", "What needs Emi today"),
            Shot("today-dark", "The same at night", dark=True),
        ],
    ),
    "First run": (
        "A ledger begins empty, and Today offers three ways in.",
        [Shot("first-run", "Today in a ledger that is empty", empty=True)],
    ),
    "Questions": (
        "One finds questions by their words, status, tag or family, and asks new ones.",
        [
            Shot("questions", "All questions, the next to close first", "questions"),
            Shot(
                "questions-ask",
                "The form for a question of one's own",
                "questions",
                {"view": "Ask a question"},
            ),
        ],
    ),
    "Question": (
        "One reads what a question asks and what others have said on it, and puts a probability "
        "on it or changes it, with the evidence that moved it.",
        [
            Shot(
                "question-open",
                "An open question with everyone's paths and evidence",
                "question",
                {"slug": "second-dalai-lama-claimant"},
            ),
            Shot(
                "question-open-dark",
                "The same at night",
                "question",
                {"slug": "second-dalai-lama-claimant"},
                dark=True,
            ),
            Shot(
                "question-resolved",
                "A resolved one, with what everyone earned",
                "question",
                {"slug": "trump-xi-in-person-fall-2025"},
            ),
            Shot(
                "question-options",
                "One with several options",
                "question",
                {"slug": "trump-xi-meetings-by-2029"},
            ),
        ],
    ),
    "Articles": (
        "One hands an article over, and makes questions of the sentences that look ahead.",
        [
            Shot("articles", "The articles that are stored", "articles"),
            Shot("article", "An article, its drafts and its text", "articles", {"article": "1"}),
        ],
    ),
    "Track record": (
        "One sees whether somebody's probabilities held up, and how sure one can be of it.",
        [
            Shot(
                "track-record",
                "The record of a simulated team that is overconfident",
                "track_record",
                {"of": "Team", "names-team": "Kestrel (simulated)"},
            ),
            Shot(
                "track-record-dark",
                "The same at night",
                "track_record",
                {"of": "Team", "names-team": "Kestrel (simulated)"},
                dark=True,
            ),
        ],
    ),
    "Compare": (
        "One sees which team did better on the questions that they share, and whether chance "
        "alone could have done it.",
        [Shot("compare", "Three simulated teams", "compare")],
    ),
    "Resolve": (
        "One decides on outcomes that were proposed, and settles what has ended.",
        [
            Shot("resolve", "What awaits its outcome", "resolve"),
            Shot(
                "resolve-settle",
                "The form in which a question is settled",
                "resolve",
                {"slug": "huawei-off-entity-list-2026"},
            ),
        ],
    ),
    "Practice": (
        "One says how sure one would have been of questions whose answer is known.",
        [Shot("practice", "A question, and the answers so far", "practice", steps=answered)],
    ),
    "Team": (
        "One sees who is here and in which role, and what runs by itself.",
        [Shot("team", "The members and the teams", "team")],
    ),
    "Import and export": (
        "One takes the ledger along as plain files, or reads somebody's in.",
        [Shot("exchange", "Both ways", "exchange")],
    ),
}

HEAD = """\
# Gallery

This page and its pictures are made by `make gallery` from the demonstration that `make demo`
serves. The articles and the outcomes are real; **everyone in the pictures and all their forecasts
are simulated**, and their names say so. Each page is shown on a wide screen and on a phone; what is
long is cut off below.
"""


def written() -> str:
    """Return the text of docs/gallery.md."""
    lines = [HEAD]
    for title, (does, shots) in PAGES.items():
        lines.append(f"\n## {title}\n\n{does}\n")
        lines += map(_pictures, shots)
    return "".join(lines)


def _pictures(shot: Shot) -> str:
    said = f"{shot.shows} (people and data are simulated)"
    places = {width: f"{FOLDER.name}/{file}" for width, file in shot.files.items()}
    heads = {WIDE: "on a wide screen", NARROW: "on a phone"}
    return (
        f"\n{shot.shows}:\n\n"
        f"| {' | '.join(heads[width] for width in places)} |\n"
        f"|{'---|' * len(places)}\n"
        f"| {' | '.join(f'[![{said}]({place})]({place})' for place in places.values())} |\n"
    )


def draw(browser: Browser, base: str, shot: Shot) -> None:
    """Write the pictures of ``shot``, as the app at ``base`` shows it."""
    from tests.app.browsing import PATIENCE

    for width, file in shot.files.items():
        scheme = "dark" if shot.dark else "light"
        with browser.new_context(
            viewport={"width": width, "height": WINDOW},
            color_scheme=scheme,
            reduced_motion="reduce",
        ) as context:
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.goto(base + shot.path)
            settle(page)
            if shot.steps is not None:
                shot.steps(page)
                settle(page)
            # The page scrolls inside of the window, which therefore has to be as tall as it is.
            tall = page.evaluate(
                "document.querySelector('[data-testid=stMain]').scrollHeight + "
                "document.querySelector('[data-testid=stMain]').getBoundingClientRect().top"
            )
            height = max(WINDOW, min(round(tall), TALLEST[width]))
            page.set_viewport_size({"width": width, "height": height})
            page.mouse.move(0, 0)
            settle(page)
            save(page.screenshot(), FOLDER / file)
            print(f"{file}: {(FOLDER / file).stat().st_size / 1024:.0f} KB, {tall:.0f} px tall")


def settle(page: Page) -> None:
    """Wait until the script has finished and all that it shows is drawn."""
    from playwright.sync_api import expect

    from tests.app.browsing import DONE, PATIENCE

    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(DONE)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".every(chart => !chart.checkVisibility() || chart.querySelector('canvas, svg'))"
    )
    page.evaluate("document.fonts.ready")
    page.wait_for_function("document.getAnimations().every(one => one.playState != 'running')")
    page.wait_for_timeout(400)


def save(picture: bytes, path: Path) -> None:
    """Write the picture with few colours: those that cover most as they are, the rest as near."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(picture)) as drawn:
        whole = drawn.convert("RGB")
    apart = whole.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).getpalette() or []
    signs = np.asarray(whole).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    there, where, often = np.unique(signs, return_inverse=True, return_counts=True)
    every = np.stack([there >> 16, there >> 8 & 255, there & 255], axis=1).astype(int)
    most = every[np.argsort(-often.astype(int), kind="stable")[:COLOURS]]
    palette = np.concatenate([most, np.array(apart, dtype=int).reshape(-1, 3)])
    nearest = np.array([((palette - colour) ** 2).sum(axis=1).argmin() for colour in every])
    few = Image.fromarray(nearest[where].reshape(signs.shape).astype(np.uint8), mode="P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    few.save(path, optimize=True)


def main(only: list[str]) -> None:
    """Write the page and its pictures: all of them, or those of the names in ``only``."""
    from forecasts.exchange.samples import demonstration
    from tests.app.browsing import free_port, launched, serving

    FOLDER.mkdir(exist_ok=True)
    shots = [shot for _, there in PAGES.values() for shot in there]
    with tempfile.TemporaryDirectory(prefix="gallery-") as name, launched() as browser:
        folder = Path(name)
        with mock.patch("forecasts.common.settings.data_folder", return_value=folder):
            built = demonstration.build(now=MOMENT, say=lambda _: None)
        for ledger, empty in ((built, False), (str(folder / "empty.sqlite3"), True)):
            with serving(
                browser, folder, ledger, free_port(), program=SERVER, FORECASTS_MEMBER=READER
            ) as base:
                for shot in shots:
                    if shot.empty is empty and (not only or shot.name in only):
                        draw(browser, base, shot)
    files = {file for shot in shots for file in shot.files.values()}
    for left in FOLDER.glob("*.png"):
        if left.name not in files:
            left.unlink()
    FOLDER.with_suffix(".md").write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
