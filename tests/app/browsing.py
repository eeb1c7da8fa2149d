"""A real browser and real servers for tests; ``conftest.py`` opens those that tests share.

Without Chromium these tests are skipped, which in CI fails the run.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Dialog,
    Locator,
    Page,
    expect,
    sync_playwright,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None and os.environ.get("CI"):
    pytest.fail("In CI a real browser must be there, and no chromium was found.", pytrace=False)
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on this machine (apt install chromium)"
    ),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
APP = '[data-testid="stApp"]'
# Streamlit sets this when a run and all its output are complete.
# Waited for by ``Locator.wait_for``: ``expect`` also describes the whole page at each look.
DONE = f'{APP}[data-test-script-state="notRunning"]'
WITHIN = """address => {
    history.pushState({}, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
}"""
COVERED = """() => {
    const said = document.querySelector(".st-key-said").getBoundingClientRect();
    return [...document.querySelectorAll("a, button, input, textarea, [role=slider]")]
        .filter((one) => {
            const { left, top, right, bottom } = one.getBoundingClientRect();
            const [x, y] = [Math.max(left, said.left), Math.max(top, said.top)];
            const [toX, toY] = [Math.min(right, said.right), Math.min(bottom, said.bottom)];
            // The place lets presses through to what is below it.
            return x < toX && y < toY && !one.closest(".st-key-said")
                && one.contains(document.elementFromPoint((x + toX) / 2, (y + toY) / 2));
        })
        .map((one) => one.ariaLabel || one.innerText);
}"""
# Drawn 60 times a second, a placeholder that shimmers takes a quarter of a page's start.
CALM = """{
    const calm = new CSSStyleSheet();
    calm.replaceSync("[data-testid*=Skeleton], [data-testid*=Skeleton] * { animation: none; }");
    document.adoptedStyleSheets.push(calm);
}"""
UNSAVED = "You have typed something that is not saved. Leave it?"
PATIENCE = 60_000  # ms: the machine may be busy
STARTS = 120  # seconds at most, for the same reason


@dataclass
class Server:
    base: str
    ledger: Path


@dataclass
class Watch:
    """Errors in the browser's console, and requests to other hosts."""

    base: str
    red: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on(
            "console", lambda line: self.red.append(line.text) if line.type == "error" else None
        )
        page.on("pageerror", lambda error: self.red.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.base, self.base.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(url)


def until(page: Page, condition: str, arg: object = None, seconds: float = 60) -> None:
    """Wait until a condition holds in the page: an expression, or a function of ``arg``.

    As ``Page.wait_for_function``, which evaluates text in the page later on: its policy forbids it.
    """
    page.evaluate(
        f"""([arg, patience]) => new Promise((done, fail) => {{
            setTimeout(() => fail(new Error('waited in vain')), patience);
            const look = () => {{
                const found = ({condition});
                if (typeof found === 'function' ? found(arg) : found) done(true);
                else requestAnimationFrame(look);
            }};
            look();
        }})""",
        [arg, 1000 * seconds],
    )


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def profiled(folder: Path) -> Iterator[BrowserContext]:
    """Yield Chromium with a profile: what it compiles for one page is there for the next.

    A context that Playwright adds to a browser has no such memory, and compiles Streamlit's scripts
    for each page: that takes a third of the page's time.
    """
    with sync_playwright() as playwright:
        profile = playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=FLAGS
        )
        profile.add_init_script(CALM)
        yield profile
        profile.close()


@contextmanager
def tab(
    profile: BrowserContext,
    width: int = 1280,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """Yield a page of that size, and forget what it has kept in the browser."""
    page = profile.new_page()
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    try:
        yield page
    finally:
        if page.url != "about:blank":
            page.evaluate("localStorage.clear()")
        page.close()
        profile.clear_cookies()


def dialogs(page: Page, *answers: bool) -> list[str]:
    """Return a list that gets the questions of the page's dialogs, which are answered in turn."""
    asked: list[str] = []
    left = iter(answers)

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if next(left) else dialog.dismiss()

    page.on("dialog", answer)
    return asked


def current(place: Locator) -> Locator:
    """Return the place without the old elements that a run keeps for a while beside the new."""
    return place.and_(place.page.locator(":not([data-retained] *)"))


def current_field(page: Page, label: str) -> Locator:
    """Return the current field with that label."""
    return current(page.get_by_label(label, exact=True))


def said(page: Page) -> Locator:
    """Return the place of the last act's message."""
    return page.get_by_role("status").and_(page.locator(".st-key-said"))


def covered(page: Page) -> list[str]:
    """Return the fields, buttons and links in sight that the last act's message lies over."""
    return list(page.evaluate(COVERED))


def reach(page: Page, place: Locator) -> None:
    """Press Tab until the locator has the focus."""
    expect(place.first).to_be_visible()
    # While a run draws the page again, an old element may be there beside the new one.
    expect(page.locator(DONE)).to_be_visible()
    expect(place).to_have_count(1)
    for _ in range(60):
        if place.and_(page.locator(":focus")).count():
            return
        page.keyboard.press("Tab")
    pytest.fail("The keyboard does not lead there.")


def go(page: Page, address: str) -> None:
    """Lead the open app to an address, as a link does: its scripts stay, whose start is slow."""
    before = page.title()
    page.evaluate(WITHIN, address)
    until(page, "before => document.title !== before", arg=before)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def serving(
    folder: Path,
    ledger: Path | str,
    port: int | None = None,
    *,
    program: str = "from forecasts.cli.main import main; main()",
    **environment: str,
) -> Iterator[str]:
    """Yield the address of the app, started by the command on that ledger, without runs.

    ``program``: Python code that runs the command, if not the usual one.
    """
    port = port or free_port()
    command = [sys.executable, "-c", program, "app", "--no-runs"]
    with answering(
        [*command, "--database", str(ledger), "--port", str(port)],
        f"http://127.0.0.1:{port}/_stcore/health",
        folder / "log",
        **environment,
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def answering(command: list[str], address: str, log: Path, **environment: str) -> Iterator[None]:
    """Run a server until the block ends, which begins once it answers at that address."""
    with log.open("w") as written:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=os.environ | environment,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + STARTS
            while not _answers(address):
                if _has_ended(process) or time.monotonic() > deadline:
                    pytest.fail(f"The server did not answer:\n{log.read_text()}")
            yield
        finally:
            for end in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, end)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)
                    break


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.05)
        return True
    return False


@contextmanager
def saves_waiting(ledger: Path) -> Iterator[None]:
    """Keep every save in the file waiting for its turn until the block ends."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")
