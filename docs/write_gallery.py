"""Write docs/gallery.md and its pictures from the app itself; ``make gallery`` runs it.

The demonstration is built in a temporary folder, served with a fixed clock, and opened page by page
in Chromium. The same code draws the same pictures, except for a few pixels, so that a change of a
page shows as a change of its picture.
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
# The time shown in every picture.
MOMENT = datetime(2026, 11, 25, 9, tzinfo=UTC)
WIDE, NARROW = 1280, 390
WINDOW = 900  # initial height of the window in pixels
TALLEST = {WIDE: 2400, NARROW: 2500}  # maximum height of a picture, which is cut below
FRONT = "front.png"  # the top of Today, for the README
FRONT_HEIGHT = 640
COLOURS = 96  # most frequent colours that are kept exactly, and as many approximations
# The program of the server: the app as the command serves it, in one process, with a fixed clock
# and fixed random draws.
SERVER = f"""
import os, secrets, sys
from datetime import datetime
import app.session
from forecasts.cli import serve
from forecasts.cli.main import main

def run(command, environment):
    os.environ.update(environment)
    sys.argv = command[1:]
    from streamlit.web.cli import main as streamlit
    return streamlit()

app.session.now = lambda: datetime.fromisoformat({MOMENT.isoformat()!r})
secrets.randbits = lambda _: 1
serve.run_until_ended = run
main()
"""

Steps = Callable[["Page"], None]


@dataclass(frozen=True)
class Shot:
    """A picture: its name, its caption, and the way to the page."""

    name: str
    shows: str
    address: str = ""
    query: dict[str, str] = field(default_factory=dict)
    steps: Steps | None = None
    dark: bool = False
    empty: bool = False

    @property
    def files(self) -> dict[int, str]:
        """Return the picture's file for each width."""
        widths = (WIDE,) if self.dark else (WIDE, NARROW)
        return {width: f"{self.name}-{width}.png" for width in widths}

    @property
    def path(self) -> str:
        """Return the address of the page, from the root of the app."""
        return f"/{self.address}" + (f"?{urlencode(self.query)}" if self.query else "")


def answered(page: Page) -> None:
    """Answer three practice questions, so that the next one is open."""
    for typed in ("70", "75", "50"):
        page.get_by_label("Probability of yes", exact=True).fill(typed)
        page.get_by_role("button", name="Answer", exact=True).click()
        page.get_by_text(f"You said {typed}%").wait_for()
        settle(page)


PAGES: dict[str, tuple[str, list[Shot]]] = {
    "Today": (
        "Your daily round: one line for a new question, your next steps, new results.",
        [
            Shot("today", "Today for Emi"),
            Shot("today-dark", "The same in dark mode", dark=True),
        ],
    ),
    "First run": (
        "A new ledger is empty: Today asks for the first question, or opens the sample ledger.",
        [Shot("first-run", "Today in an empty ledger", empty=True)],
    ),
    "Questions": (
        "Find questions by text, status, tag or family, and ask new ones.",
        [
            Shot("questions", "All questions, soonest close first", "questions"),
            Shot(
                "questions-ask",
                "The form for a new question",
                "questions",
                {"view": "Ask a question"},
            ),
        ],
    ),
    "Question": (
        "Read a question and others' forecasts, and make or update your own, with evidence.",
        [
            Shot(
                "question-open",
                "An open question with everyone's paths and evidence",
                "question",
                {"slug": "second-dalai-lama-claimant"},
            ),
            Shot(
                "question-open-dark",
                "The same in dark mode",
                "question",
                {"slug": "second-dalai-lama-claimant"},
                dark=True,
            ),
            Shot(
                "question-resolved",
                "A resolved question with everyone's scores",
                "question",
                {"slug": "trump-xi-in-person-fall-2025"},
            ),
            Shot(
                "question-options",
                "A question with several options",
                "question",
                {"slug": "trump-xi-meetings-by-2029"},
            ),
        ],
    ),
    "News": (
        "Read new articles by the questions they bear on, and add feeds.",
        [Shot("news", "News for Emi", "news")],
    ),
    "Articles": (
        "Capture an article, and turn sentences about the future into questions.",
        [
            Shot("articles", "The stored articles", "articles"),
            Shot("article", "An article, its drafts and its text", "articles", {"article": "1"}),
        ],
    ),
    "My scores": (
        "Find the score of each resolved question, and the points of each update.",
        [Shot("my-scores", "Emi’s resolved questions", "my_scores")],
    ),
    "Track record": (
        "See how calibrated a forecaster is, and how certain that finding is.",
        [
            Shot(
                "track-record",
                "The record of an overconfident simulated team",
                "track_record",
                {"of": "Team", "names-team": "Kestrel (simulated)"},
            ),
            Shot(
                "track-record-dark",
                "The same in dark mode",
                "track_record",
                {"of": "Team", "names-team": "Kestrel (simulated)"},
                dark=True,
            ),
        ],
    ),
    "Compare": (
        "See which team did better on shared questions, and whether chance could explain it.",
        [Shot("compare", "Three simulated teams", "compare")],
    ),
    "Arena": (
        "See people, bots and models with the ranks that each may have.",
        [Shot("arena", "Simulated forecasters, many of them hard to tell apart", "arena")],
    ),
    "Terms": (
        "Look up a word of the reports: at most 25, each with an example.",
        [Shot("terms", "All terms", "terms", empty=True)],
    ),
    "Resolve": (
        "Decide on proposed outcomes, and resolve questions that have ended.",
        [
            Shot("resolve", "Questions that await an outcome", "resolve"),
            Shot(
                "resolve-settle",
                "The form that resolves a question",
                "resolve",
                {"slug": "huawei-off-entity-list-2026"},
            ),
        ],
    ),
    "Practice": (
        "Test your calibration on questions whose answer is known.",
        [Shot("practice", "A question and the answers so far", "practice", steps=answered)],
    ),
    "Team": (
        "See members, roles, teams and resolvers.",
        [Shot("team", "Members and teams", "team")],
    ),
    "Settings": (
        "Choose time zone, theme, review interval and notifications, and check the scheduled runs.",
        [Shot("settings", "A member’s settings", "settings", empty=True)],
    ),
    "Import and export": (
        "Import your record from files or from an account elsewhere, and export the ledger.",
        [Shot("exchange", "Import and export", "exchange")],
    ),
}

HEAD = """\
# Gallery

For anyone who wants to see the app first.

`make gallery` draws this page and its pictures from the demonstration that `make demo` serves. The
articles and the outcomes are real; **all people and forecasts in the pictures are simulated**, as
their names say. Each page is shown on a wide screen and on a phone; long pages are cut off below.
"""


def written() -> str:
    """Return the text of docs/gallery.md."""
    lines = [HEAD]
    for title, (does, shots) in PAGES.items():
        lines.append(f"\n## {title}\n\n{does}\n")
        lines += map(_pictures, shots)
    return "".join(lines)


def _pictures(shot: Shot) -> str:
    caption = f"{shot.shows} (people and data are simulated)"
    places = {width: f"{FOLDER.name}/{file}" for width, file in shot.files.items()}
    heads = {WIDE: "on a wide screen", NARROW: "on a phone"}
    return (
        f"\n{shot.shows}:\n\n"
        f"| {' | '.join(heads[width] for width in places)} |\n"
        f"|{'---|' * len(places)}\n"
        f"| {' | '.join(f'[![{caption}]({place})]({place})' for place in places.values())} |\n"
    )


def draw(browser: Browser, base: str, shot: Shot) -> None:
    """Write the pictures of ``shot`` from the app at ``base``."""
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
            # The page scrolls inside the window, so the window must be as tall as the page.
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
    """Wait until the script has finished and everything is drawn."""
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
    """Write the picture with few colours: the most frequent exactly, the rest approximated."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(picture)) as drawn:
        whole = drawn.convert("RGB")
    spread = whole.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).getpalette() or []
    codes = np.asarray(whole).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    distinct, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([distinct >> 16, distinct >> 8 & 255, distinct & 255], axis=1).astype(int)
    frequent = colours[np.argsort(-counts.astype(int), kind="stable")[:COLOURS]]
    palette = np.concatenate([frequent, np.array(spread, dtype=int).reshape(-1, 3)])
    nearest = np.array([((palette - colour) ** 2).sum(axis=1).argmin() for colour in colours])
    few = Image.fromarray(nearest[inverse].reshape(codes.shape).astype(np.uint8), mode="P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    few.save(path, optimize=True)


def crop_front() -> None:
    """Write the README's picture, the top of Today."""
    from PIL import Image

    with Image.open(FOLDER / "today-1280.png") as whole:
        whole.crop((0, 0, WIDE, FRONT_HEIGHT)).save(FOLDER / FRONT, optimize=True)


def main(only: list[str]) -> None:
    """Write the page and its pictures, or only the pictures named in ``only``."""
    from forecasts.samples import demonstration
    from tests.app.browsing import launched, serving

    FOLDER.mkdir(exist_ok=True)
    shots = [shot for _, there in PAGES.values() for shot in there]
    with tempfile.TemporaryDirectory(prefix="gallery-") as name, launched() as browser:
        folder = Path(name)
        with mock.patch("forecasts.common.settings.data_folder", return_value=folder):
            built = demonstration.build(now=MOMENT, echo=lambda _: None)
        own = str(folder / "forecasts" / "ledger.sqlite3")  # the default one there
        for ledger, empty in ((built, False), (own, True)):
            settings = {"FORECASTS_MEMBER": demonstration.READER, "XDG_DATA_HOME": name}
            with serving(folder, ledger, program=SERVER, **settings) as base:
                for shot in shots:
                    if shot.empty is empty and (not only or shot.name in only):
                        draw(browser, base, shot)
    crop_front()
    files = {FRONT} | {file for shot in shots for file in shot.files.values()}
    for left in FOLDER.glob("*.png"):
        if left.name not in files:
            left.unlink()
    FOLDER.with_suffix(".md").write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
