from dataclasses import replace

import pandas as pd
import pytest

from forecasts.common.errors import BadInput
from forecasts.folder.frames import ARTICLE_COLUMNS, EVIDENCE_COLUMNS, Frames, typed_frame
from forecasts.scores.attribution import attribute
from scoring.means import clustered_mean
from tests.conftest import day
from tests.reports.small_ledgers import asked, cited, ledger, path, random_ledger


@pytest.fixture
def frames() -> Frames:
    """One question of ten days, resolved yes; ana updates twice, each time citing evidence."""
    cited = [
        [{"evidence_id": "a"}],
        [{"evidence_id": "a", "share": 0.75}, {"evidence_id": "b", "share": 0.25}],
        [{"evidence_id": "b"}, {"evidence_id": "c"}],
    ]
    rows = path("q", "ana", (0, 0.4), (4, 0.7), (5, 0.6))
    rows = [row | {"evidence": each} for row, each in zip(rows, cited, strict=True)]
    kinds, publishers = ["news", "news", "data"], ["Post", "Times", "Times"]
    evidence = {"evidence_id": ["a", "b", "c"], "kind": kinds, "publisher": publishers}
    known = typed_frame(evidence, EVIDENCE_COLUMNS)
    return replace(ledger([asked("q", "yes")], rows), evidence=known)


# The first move earned (0.36 − 0.09) · 0.6, the second lost (0.09 − 0.16) · 0.5.
FIRST, SECOND = 0.162, -0.035


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


def test_a_sources_points_have_an_interval_over_families() -> None:
    frames = cited(random_ledger(8, questions=20))
    table = attribute(frames, "publisher")
    assert table["points"].sum() == pytest.approx(attribute(frames)["points"].sum())
    assert table["per_question"].to_numpy() == pytest.approx(table["points"] / table["questions"])
    blank = table[table["families"] < 2]
    assert blank[["per_question_lower", "per_question_upper"]].isna().all(axis=None)
    rest = table[table["families"] > 1]
    assert len(rest)
    assert (rest["per_question_lower"] <= rest["per_question"]).all()
    assert (rest["per_question"] <= rest["per_question_upper"]).all()


def test_the_interval_is_that_of_the_mean_over_the_questions_clustered(frames: Frames) -> None:
    names, families = ["q", "r", "s", "t"], ["one", "one", "", ""]
    asked = frames.questions.loc[[0] * 4].assign(question_id=names, family=families)
    rows = [frames.forecasts.assign(question_id=name) for name in names]
    made = pd.concat(rows, ignore_index=True)
    made.loc[5:, "probability"] /= 2
    whole = replace(frames, questions=asked.reset_index(drop=True), forecasts=made)
    row = attribute(whole, "kind").set_index("kind").loc["data"]
    each = []
    for n, name in enumerate(names):
        own = made[made["question_id"] == name].reset_index(drop=True)
        one = replace(frames, questions=asked.iloc[[n]], forecasts=own)
        each.append(attribute(one, "kind").set_index("kind").loc["data", "points"])
    expected = clustered_mean(each, ["one", "one", "s", "t"], rare=True)
    assert (row["families"], row["questions"]) == (3, 4)
    assert row["per_question"] == pytest.approx(expected.mean)
    assert row["per_question_lower"] == pytest.approx(expected.lower)
    assert row["per_question_upper"] == pytest.approx(expected.upper)


def sharing(frames: Frames, *shares: float | None) -> dict[str, float]:
    """Return the points of each piece of evidence if only the first update cites, by shares."""
    cited = [
        {"evidence_id": name} | ({} if share is None else {"share": share})
        for name, share in zip("abc", shares, strict=False)
    ]
    evidence = pd.Series([None, cited, None], dtype=object)
    only = frames.forecasts.assign(evidence=evidence).iloc[:2]
    table = attribute(replace(frames, forecasts=only), "evidence")
    return dict(zip(table["evidence_id"], table["points"], strict=True))


@pytest.mark.parametrize(
    ("shares", "parts"),
    [
        # Evidence without a share divides the rest.
        ((0.5, None, None), {"a": 0.5, "b": 0.25, "c": 0.25}),
        ((1.0, None), {"a": 1, "b": 0}),
        # The rest belongs to no evidence.
        ((0.3,), {"a": 0.3, "": 0.7}),
        ((0.25, 0.5), {"a": 0.25, "b": 0.5, "": 0.25}),
        ((0.0, 0.0), {"a": 0, "b": 0, "": 1}),
        # Imported shares that sum to more than 1 are scaled.
        ((3.0, 1.0), {"a": 0.75, "b": 0.25}),
        ((3.0, 1.0, None), {"a": 0.75, "b": 0.25, "c": 0}),
    ],
)
def test_the_parts_of_an_update_sum_to_its_points(
    frames: Frames, shares: tuple[float | None, ...], parts: dict[str, float]
) -> None:
    earned = sharing(frames, *shares)
    assert sum(earned.values()) == pytest.approx(FIRST)
    assert earned == pytest.approx({name: part * FIRST for name, part in parts.items()})


def test_an_update_that_cites_nothing_stays_apart(frames: Frames) -> None:
    bare = frames.forecasts.assign(evidence=pd.Series([None] * 3, dtype=object))
    table = attribute(replace(frames, forecasts=bare), "kind")
    assert table[["kind", "citations", "updates"]].to_numpy().tolist() == [["", 0, 2]]


def test_another_grouping_is_refused(frames: Frames) -> None:
    with pytest.raises(BadInput, match="by 'colour'"):
        attribute(frames, "colour")


def test_a_ledger_without_resolved_questions_has_nothing_to_attribute(frames: Frames) -> None:
    empty = replace(frames, questions=frames.questions.assign(resolution=""))
    assert attribute(empty).empty
    assert attribute(empty, "publisher").empty


def test_a_source_is_described_by_its_age_and_by_the_crowd_that_follows(frames: Frames) -> None:
    """bo and cy stand at 40%; the first move, to 70%, is followed once their mean is 55%."""
    own = frames.forecasts.to_dict("records")
    others = [*path("q", "bo", (0, 0.4), (6, 0.6)), *path("q", "cy", (0, 0.4), (7, 0.5))]
    crowd = ledger([asked("q", "yes")], [*own, *others])
    address = {"evidence_id": ["a", "b", "c"], "kind": "news", "url": ["u", "v", "w"]}
    days = {"published_at": [day(-4), None, None]}
    articles = typed_frame(
        {"url": ["v"], "author": ["Ann"], "captured_at": [day(1)]}, ARTICLE_COLUMNS
    )
    known = typed_frame(address | days, EVIDENCE_COLUMNS)
    whole = replace(crowd, evidence=known, articles=articles)
    table = attribute(whole, "evidence").set_index("evidence_id").drop(index="")
    # a: cited on day 4, eight days after it was published; b: on days 4 and 5, captured on day 1.
    assert table["dated"].to_dict() == {"a": 1, "b": 2, "c": 0}
    assert table["late"].to_dict() == {"a": 1, "b": 0, "c": 0}
    # The second move, to 60%, is down, and nobody follows.
    assert table["compared"].to_dict() == {"a": 1, "b": 2, "c": 1}
    assert table["followed"].to_dict() == {"a": 1, "b": 1, "c": 0}
    assert table["days_ahead"].dropna().to_dict() == {"a": 3.0, "b": 3.0}
    by_author = attribute(whole, "author").set_index("author")
    assert by_author.loc["Ann", ["citations", "updates"]].tolist() == [2, 2]
    assert by_author["points"].sum() == pytest.approx(attribute(whole)["points"].sum())


def test_a_crowd_takes_two_others_whose_forecasts_are_current(frames: Frames) -> None:
    own = frames.forecasts.to_dict("records")
    gone = [*path("q", "bo", (0, 0.4)), *path("q", "cy", (0, 0.4), (3, None), (6, 0.9))]
    alone = ledger([asked("q", "yes")], [*own, *gone])
    table = attribute(replace(alone, evidence=frames.evidence), "kind")
    assert table["compared"].tolist() == [0] * len(table)


def test_a_feed_earns_by_the_articles_that_it_brought(frames: Frames) -> None:
    table = attribute(frames, "feed", feeds={"a": "Harbour", "b": "Harbour"}).set_index("feed")
    each = attribute(frames, "evidence").set_index("evidence_id")["points"]
    assert table.loc["Harbour", "points"] == pytest.approx(each["a"] + each["b"])
    assert table["points"].sum() == pytest.approx(each.sum())
    with pytest.raises(BadInput, match="A folder does not say"):
        attribute(frames, "feed")
