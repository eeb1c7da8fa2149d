"""The site's page checks the record in the browser, from a file, fault for fault as verify.py."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from forecasts.publication.verify import Check
from tests.app.browsing import IN_BROWSER, tab
from tests.publication.conftest import record_text
from tests.publication.test_proof import TAMPERED, Record, unresolve

pytestmark = IN_BROWSER
TEMPLATES = Path(__file__).parents[2] / "forecasts" / "publication" / "templates"


def page_of(folder: Path, record: str) -> str:
    """Return the address of a file with the markup and the script, and this record."""
    markup, script = ((TEMPLATES / f"proof.{kind}").read_text("utf-8") for kind in ("html", "js"))
    data = record.replace("<", "\\u003c")
    page = (
        f'<!doctype html><meta charset="utf-8">{markup}'
        f'<script type="application/json" id="proof-data">{data}</script><script>{script}</script>'
    )
    (folder / "verify.html").write_text(page, encoding="utf-8")
    return (folder / "verify.html").as_uri()


def found(page: Page, said: str) -> list[list[str]]:
    expect(page.locator("#proof-state")).to_have_text(said)
    expect(page.locator("#proof-limit")).to_contain_text("Not compared: the ")
    return [page.locator(f"#proof-{name} li").all_text_contents() for name in ("faults", "said")]


def test_the_browser_takes_a_withdrawn_outcome_as_none(
    tmp_path: Path, engine: Engine, stamps: dict[str, bytes], chromium: BrowserContext
) -> None:
    unresolve(engine)
    record = record_text(engine, stamps)
    with tab(chromium) as page:
        page.goto(page_of(tmp_path, record))
        check = Check(json.loads(record))
        verdict = check.verdict.replace("This record", "The copy of the record in this page")
        assert found(page, verdict) == [[], check.said]


def test_the_browser_agrees_with_verify_py(
    tmp_path: Path, kept: str, chromium: BrowserContext
) -> None:
    with tab(chromium) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        address = page_of(tmp_path, kept)
        page.goto(address)
        whole, limit = Check(json.loads(kept)), page.locator("#proof-limit")
        of = "The copy of the record in this page"
        faults, said = found(page, whole.verdict.replace("This record", of))
        assert (faults, said) == ([], whole.said)
        (tmp_path / "same.json").write_text(kept, encoding="utf-8")
        page.set_input_files("#proof-file", tmp_path / "same.json")
        found(page, whole.verdict.replace("This record", "same.json"))
        expect(limit).to_contain_text("This file is the same as the copy in this page.")
        for number, (name, (tamper, _)) in enumerate(TAMPERED.items()):
            record: Record = json.loads(kept)
            tamper(record)
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(record), encoding="utf-8")
            page.set_input_files("#proof-file", file)
            check = Check(record)
            faults, said = found(page, f"{file.name} does NOT pass the check:")
            assert faults == check.faults, name
            assert said == check.said, name
            expect(limit).to_contain_text("This file differs from the copy in this page.")
        assert asked == [address]
