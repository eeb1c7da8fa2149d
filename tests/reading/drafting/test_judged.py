"""The drafts of the judged sentences: accuracy on the held-out half, and acceptable titles."""

from __future__ import annotations

import re

import pytest

from forecasts.reading.drafting.strength import Strength
from tests.reading.drafting import judged


@pytest.mark.parametrize("half", judged.HALVES)
def test_drafts_can_be_trusted_on_both_halves(
    half: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = judged.measure(half)
    with capsys.disabled():
        print(f"\n{half}: {figures}")
    assert figures.sentences >= 140
    assert figures.precision >= 0.90
    assert figures.recall >= 0.88
    assert figures.deadlines >= 0.93
    assert figures.kinds >= 0.90
    assert figures.titles >= 0.75
    assert figures.alone >= 0.75


@pytest.mark.parametrize("half", judged.HALVES)
def test_every_title_has_a_verdict_of_its_own(half: str) -> None:
    changed = [
        (row["title"], judged.title_of(row))
        for row in judged.rows_of(half)
        if row["title"] != judged.title_of(row)
        or (row["title"] and not (row["acceptable"] and row["alone"]))
    ]
    assert changed == [], f"Judge again: python -m tests.reading.drafting.judged {half}"


@pytest.mark.slow
def test_no_title_has_a_pronoun_for_its_subject_or_a_quoted_sentence() -> None:
    for row in judged.all_rows():
        title = judged.title_of(row)
        assert not re.match(r"Will (?:he|she|they|it|we|I|you|his|her|its|their)\b", title), title
        assert "“" not in title


@pytest.mark.slow
def test_strong_drafts_have_titles_that_need_no_sentence_and_weak_ones_do_not() -> None:
    verdicts: dict[Strength, list[bool]] = {Strength.strong: [], Strength.weak: []}
    for row in judged.all_rows():
        if draft := judged.draft_of(row):
            verdicts[draft.strength].append(row["alone"] == "yes")
    strong, weak = (sum(said) / len(said) for said in verdicts.values())
    assert strong >= 0.85
    assert weak <= 0.1


def test_the_sentences_are_in_no_other_part_of_the_corpus() -> None:
    sentences = [row["sentence"] for row in judged.all_rows()]
    assert len(set(sentences)) == len(sentences) >= 300
    for part in judged.FILE.parent.glob("*.tsv"):
        if part != judged.FILE:
            known = {line.rpartition("\t")[2] for line in part.read_text("utf-8").splitlines()}
            assert known.isdisjoint(sentences)
