"""For how many questions a single person vouches, and the figures without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from sqlmodel import Session

from forecasts.folder.dependence import joined as joined_families
from forecasts.folder.frames import LINK_COLUMNS, Frames, complete, typed_frame
from forecasts.importing.frames import import_frames
from forecasts.ledger.models import Member
from forecasts.reports import comparison, formats
from forecasts.reports.report import Provenance
from forecasts.reports.selection import Choice
from forecasts.reports.wording import provenance
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve
from tests.reports.small_ledgers import NOW, asked, joined, ledger, made, report

SAID = (
    "Sources: of 4 questions, 3 were imported with times that only the importer "
    "vouches for; 1 was resolved by the only forecaster. To see the figures without them: "
    "choose “Witnessed only” (on the command line: --witnessed)."
)


def frames() -> Frames:
    """Return a ledger in which ann's first three forecasts are imported, and she resolved q3."""
    rows = [made(f"q{n}", "ann", 0, 0.8) for n in range(4)]
    rows += [made(f"q{n}", "bob", 1, 0.6) for n in range(3)]
    questions = [asked(f"q{n}", "yes") for n in range(4)]
    teams = (joined("ours", "ann"), joined("theirs", "bob"))
    imported = np.arange(len(rows)) < 3
    return replace(
        ledger(questions, rows, teams), imported=imported, resolved_alone=frozenset({"q3"})
    )


def test_a_report_says_at_its_top_for_what_a_single_person_vouches() -> None:
    by = {group.name: group for group in report(frames(), by="forecaster").groups}
    assert (by["ann"].provenance, by["bob"].provenance) == (Provenance(4, 3, 1), Provenance(3))
    whole = report(frames())
    assert whole.groups[0].provenance == Provenance(4, 3, 1)
    assert provenance(whole.groups[0].provenance) == SAID
    shown = formats.document(whole)
    assert SAID in shown.sections[0].blocks[:1]
    assert provenance(Provenance()) == ""


def test_the_figures_without_them_are_one_option_away() -> None:
    witnessed = report(frames(), by="forecaster", witnessed=True)
    by = {group.name: group for group in witnessed.groups}
    assert by["bob"].questions == 3
    assert "ann" not in by or by["ann"].questions == 0
    assert all(group.provenance == Provenance(group.questions) for group in witnessed.groups)
    assert "Without forecasts whose times only an importer" in formats.document(witnessed).scope


def test_a_comparison_says_the_same() -> None:
    def compared(choice: Choice) -> comparison.Comparison:
        return comparison.build(frames(), between=("ours", "theirs"), choice=choice, as_of=NOW)

    assert compared(Choice()).provenance == Provenance(4, 3, 1)
    assert compared(Choice(witnessed=True)).provenance == Provenance(3)


def test_by_lead_and_tag_each_group_has_its_own_questions() -> None:
    own = frames()
    tagged = replace(own, questions=own.questions.assign(tags=[["a"], ["a"], ["b"], ["b"]]))
    found = {group.name: group.provenance for group in report(tagged, by="tag").groups}
    assert found == {"a": Provenance(2, 2, 0), "b": Provenance(2, 1, 1)}
    [lead] = report(own, by="lead", names=["7"]).groups
    assert lead.provenance == Provenance(4, 3, 1)


def test_a_ledger_tells_imported_times_and_outcomes_of_the_only_forecaster(
    session: Session, alice: Member, bob: Member
) -> None:
    alone, both, others = (ask(session, alice, slug=slug) for slug in ("alone", "both", "others"))
    for question, who in ((alone, alice), (both, alice), (both, bob), (others, bob)):
        updates.update(session, question, Value(probability=0.4), member=who, now=day(1))
    for question in (alone, both, others):
        resolve(session, question, alice, at=11)
    rain = {"question_id": "rain", "title": "Will it rain?", "type": "binary"}
    asked_ = pd.DataFrame([rain | {"open_time": day(0), "scheduled_close_time": day(10)}])
    said = {"question_id": "rain", "forecaster": "cem", "made_at": day(1), "probability": 0.2}
    import_frames(session, complete(asked_, pd.DataFrame([said])), member=alice, now=day(5))
    found = ledger_frames(session)
    assert found.resolved_alone == {"alone"}
    assert found.imported is not None
    assert dict(zip(found.forecasts["question_id"], found.imported, strict=True)) == {
        "alone": False, "both": False, "others": False, "rain": True
    }  # fmt: skip


def doubled(many: int) -> Frames:
    """Return 20 questions that ann asked once, and so many that are there twice."""
    names = [f"q{n}" for n in range(20)] + [f"q{n} again" for n in range(many)]
    rows = [made(name, "ann", 0, 0.8) for name in names]
    outcomes = ["no" if int(name[1:3].strip()) < 9 else "yes" for name in names]
    pairs = frozenset((f"q{n}", f"q{n} again") for n in range(many))
    questions = [asked(name, y) for name, y in zip(names, outcomes, strict=True)]
    imported = np.zeros(len(rows), dtype=np.bool_)
    return replace(ledger(questions, rows), likely_same=pairs, imported=imported)


def test_likely_duplicates_are_counted_as_one_family() -> None:
    [apart] = report(replace(doubled(20), likely_same=frozenset())).groups
    [group] = report(doubled(20)).groups
    assert (apart.verdict.kind, apart.families, apart.provenance.duplicates) == ("too_high", 40, 0)
    assert (group.verdict.kind, group.families, group.provenance.duplicates) == ("too_few", 20, 20)
    said = provenance(group.provenance)
    assert said.startswith(
        "Likely duplicates: 20 pairs of questions, each counted once. Separate pairs"
    )
    assert provenance(apart.provenance) == ""


def test_likely_duplicates_bring_their_families_together() -> None:
    names = ["a", "b", "", "", "b", ""]
    questions = pd.DataFrame({"question_id": list("uvwxyz"), "family": names})
    links, pairs = typed_frame({}, LINK_COLUMNS), {("u", "v"), ("w", "x"), ("z", "elsewhere")}
    found = joined_families(questions, links, pairs)["family"].tolist()
    assert found == ["a", "a", found[2], found[2], "a", ""]
    assert found[2] not in ("a", "b", "")
