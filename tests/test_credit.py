import pandas as pd
import pytest

from forecasts.attributions import attribute
from forecasts.errors import BadInput
from forecasts.frames import EVIDENCE_COLUMNS, Frames, complete, typed_frame
from tests.conftest import day


@pytest.fixture
def frames() -> Frames:
    """One question of ten days, resolved yes; ana moves twice, each time on evidence."""
    ledger = complete(
        pd.DataFrame(
            {
                "question_id": ["q"],
                "type": ["binary"],
                "open_time": [day(0)],
                "scheduled_close_time": [day(10)],
                "resolution": ["yes"],
            }
        ),
        pd.DataFrame(
            {
                "question_id": ["q"] * 3,
                "forecaster": ["ana"] * 3,
                "made_at": [day(0), day(4), day(5)],
                "probability": [0.4, 0.7, 0.6],
                "evidence": [
                    [{"evidence_id": "a"}],
                    [{"evidence_id": "a", "share": 0.75}, {"evidence_id": "b", "share": 0.25}],
                    [{"evidence_id": "b"}, {"evidence_id": "c"}],
                ],
            }
        ),
    )
    evidence = typed_frame(
        {
            "evidence_id": ["a", "b", "c"],
            "kind": ["news", "news", "data"],
            "title": ["A", "B", "C"],
            "url": ["", "", ""],
            "publisher": ["Post", "Times", "Times"],
            "published_at": [None, None, None],
            "quote": ["", "", ""],
            "note": ["", "", ""],
        },
        EVIDENCE_COLUMNS,
    )
    return Frames(ledger.questions, ledger.forecasts, ledger.teams, evidence, ledger.articles)


# The first move earned (0.36 − 0.09) · 0.6, the second lost (0.09 − 0.16) · 0.5.
FIRST, SECOND = 0.162, -0.035


def test_each_update_earned_its_gain_times_the_time_left(frames: Frames) -> None:
    table = attribute(frames).set_index("made_at")["points"]
    assert table[day(4)] == pytest.approx(FIRST)
    assert table[day(5)] == pytest.approx(SECOND)
    assert pd.isna(table[day(0)])  # it replaced none


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("evidence_id", {"a": 0.75 * FIRST, "b": 0.25 * FIRST + SECOND / 2, "c": SECOND / 2}),
        ("publisher", {"Post": 0.75 * FIRST, "Times": 0.25 * FIRST + SECOND}),
        ("kind", {"news": FIRST + SECOND / 2, "data": SECOND / 2}),
    ],
)
def test_points_are_split_by_share_and_equally_where_none_is_given(
    frames: Frames, by: str, expected: dict[str, float]
) -> None:
    table = attribute(frames, by.removesuffix("_id"))
    assert dict(zip(table[by], table["points"], strict=True)) == pytest.approx(expected)
    assert table["points"].sum() == pytest.approx(FIRST + SECOND)


def test_an_update_that_cites_nothing_stays_apart(frames: Frames) -> None:
    bare = frames.forecasts.assign(evidence=pd.Series([None] * 3, dtype=object))
    table = attribute(
        Frames(frames.questions, bare, frames.teams, frames.evidence, frames.articles), "kind"
    )
    assert table[["kind", "citations", "updates"]].to_numpy().tolist() == [["", 0, 2]]


def test_another_grouping_is_refused(frames: Frames) -> None:
    with pytest.raises(BadInput, match="by 'colour'"):
        attribute(frames, "colour")


def test_a_ledger_without_resolved_questions_has_nothing_to_attribute(frames: Frames) -> None:
    open_ = frames.questions.assign(resolution="")
    empty = Frames(open_, frames.forecasts, frames.teams, frames.evidence, frames.articles)
    assert attribute(empty).empty
    assert attribute(empty, "publisher").empty
