"""A series decides when it can, never early, and never from half of the data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import BadInput, CannotTell
from forecasts.resolution.resolvers.series import Settings
from tests.resolution.resolvers.looking import CLOSE, at, look, outcome, question

RISES = "max(value) >= 145 between open and close"


def csv(*rows: tuple[str, object]) -> str:
    return "\n".join(["date,value", *(f"{when},{value}" for when, value in rows)]) + "\n"


def found(expression: str, now: Any, text: str, kind: str = "binary", **settings: Any) -> Any:
    given = {"source": "data", "expression": expression, **settings}
    return outcome(look("series", given, now, question(kind), data=text))


def test_a_maximum_that_reached_its_bound_is_decided_by_the_row_that_did_it() -> None:
    text = csv(("2026-01-05", 144), ("2026-01-06", 145), ("2026-01-07", 150))
    assert found(RISES, at(8), text) == ("yes", at(6))


def test_a_no_waits_for_the_end_of_the_window() -> None:
    text = csv(("2026-01-05", 144), ("2026-01-31T23:59:59", 144.9))
    assert found(RISES, at(20), csv(("2026-01-05", 144))) is None
    assert found(RISES, CLOSE.replace(second=58), text) is None
    assert found(RISES, CLOSE, text, gap_days=27) == ("no", CLOSE)


DAILY = csv(*((f"2026-01-{day:02d}", 144) for day in range(1, 32)))


def test_the_row_after_the_last_day_decides_a_no_and_a_late_row_a_yes_as_soon_as_seen() -> None:
    assert found(RISES, at(1, 12, month=2), DAILY) is None
    assert found(RISES, at(1, 12, month=2), DAILY + "2026-02-01,150\n") == ("no", CLOSE)
    assert found(RISES, at(1, 12, month=2), DAILY, gap_days=1) == ("no", CLOSE)
    late = DAILY.replace("2026-01-30,144", "2026-01-30,150")
    assert found(RISES, at(1, 12, month=2), late) == ("yes", at(30))
    assert found(RISES, at(1, 12, month=2), late, settle_days=30) == ("yes", at(30))


def test_late_corrections_are_awaited_for_settle_days() -> None:
    text = DAILY.replace("2026-01-30,144", "2026-01-30,.") + "2026-02-01,144\n"
    assert found(RISES, at(3, 23, month=2), text, settle_days=3) is None
    filled = text.replace("2026-01-30,.", "2026-01-30,150")
    assert found(RISES, at(3, 23, month=2), filled, settle_days=3) == ("yes", at(30))
    with pytest.raises(
        CannotTell, match=r"no value between 2026-01-29T.* and 2026-01-31T"
    ) as caught:
        found(RISES, at(4, month=2), text, settle_days=3)
    assert caught.value.temporary
    assert found(RISES, at(4, month=2), text, settle_days=3, gap_days=2) == ("no", CLOSE)


def test_a_part_of_the_window_decides_nothing_that_the_rest_could_change() -> None:
    rows = [*DAILY.splitlines(), "2026-02-01,144"]
    for left_out, between in [
        (range(1, 22), "2026-01-01T.* and 2026-01-22T"),  # the last ten days alone
        ([15], "2026-01-14T.* and 2026-01-16T"),
        (range(24, 32), "2026-01-23T.* and 2026-02-01T"),
    ]:
        text = "".join(f"{row}\n" for number, row in enumerate(rows) if number not in left_out)
        with pytest.raises(CannotTell, match=rf"no value between {between}") as caught:
            found(RISES, at(3, month=2), text)
        assert caught.value.temporary
        with pytest.raises(CannotTell, match="could decide"):
            found("mean(value)", at(3, month=2), text, "numeric")
        assert found("max(value) >= 144", at(3, month=2), text)[0] == "yes"
        assert found(RISES, at(3, month=2), text, gap_days=21) == ("no", CLOSE)


def test_the_days_on_which_a_series_never_has_a_row_are_not_missed() -> None:
    """New Year, weekends and Epiphany: the row of Friday 2 January is the first."""
    days = [day for day in range(2, 32) if day % 7 not in (3, 4) and day != 6]
    text = csv(*((f"2026-01-{day:02d}", 144) for day in days), ("2026-02-02", 144))
    assert found(RISES, at(3, month=2), text) == ("no", CLOSE)
    monthly = csv(*((f"2025-{month:02d}-01", 144) for month in range(1, 13)), ("2026-02-01", 144))
    with pytest.raises(CannotTell, match=r"no value between 2025-12-01T.* and 2026-02-01T"):
        found(RISES, at(3, month=2), monthly)
    assert found(RISES, at(3, month=2), monthly + "2026-01-01,144\n") == ("no", CLOSE)


def test_the_next_row_is_waited_for_as_long_as_the_series_pauses_and_then_it_cannot_tell() -> None:
    weekly = csv(("2026-01-13", 144), ("2026-01-20", 144), ("2026-01-27", 144))
    assert found(RISES, at(9, month=2), weekly) is None
    text = csv(("2026-01-05", 144), ("2026-01-12", 144), ("2026-01-20", 144))
    for now, rows, words in (
        (at(10, month=2), weekly, "ends on 2026-01-27"),
        (at(6, month=2), text, "ends on 2026-01-20"),
        (at(6, month=2), csv(), "no row with a value up to now"),
    ):
        with pytest.raises(CannotTell, match=words) as caught:
            found(RISES, now, rows)
        assert caught.value.temporary
    assert found(RISES, at(6, month=2), text, gap_days=12) == ("no", CLOSE)


def test_each_expression_is_decided_as_soon_as_it_can_be_and_no_sooner() -> None:
    for expression, values, at_once, at_the_end in (
        ("max(value) > 3", [3, 4, 1], ("yes", at(6)), ("yes", at(6))),
        ("max(value) < 3", [2, 3, 1], ("no", at(6)), ("no", at(6))),
        ("min(value) <= 1", [2, 1, 5], ("yes", at(6)), ("yes", at(6))),
        ("min(value) >= 2", [2, 1, 5], ("no", at(6)), ("no", at(6))),
        ("count(value) >= 2", [2, 1, 5], ("yes", at(6)), ("yes", at(6))),
        ("mean(value) >= 2", [2, 1, 3], None, ("yes", CLOSE)),
        ("sum(value) == 6", [2, 1, 3], None, ("yes", CLOSE)),
        ("first(value) > 2", [2, 1, 3], None, ("no", CLOSE)),
        ("last(value) > 2", [2, 1, 3], None, ("yes", CLOSE)),
    ):
        text = csv(*((f"2026-01-{5 + day:02d}", value) for day, value in enumerate(values)))
        assert found(expression, at(8), text) == at_once, expression
        assert found(expression, at(1, month=2), text, gap_days=30) == at_the_end, expression


def test_a_number_answers_a_numeric_question_at_the_end_of_its_window() -> None:
    text = csv(("2026-01-05", 10), ("2026-01-30", 13), ("2026-02-01", 99))
    assert found("mean(value)", at(1, month=2), text, "numeric", gap_days=25) == ("11.5", CLOSE)
    assert found("mean(value)", at(31), text, "numeric") is None


def test_rows_outside_the_window_and_rows_dated_ahead_do_not_count() -> None:
    text = csv(("2025-12-31", 200), ("2026-01-15", 100), ("2026-01-20", 200), ("2026-02-01", 300))
    assert found(RISES, at(18), text) is None
    assert found(
        "max(value) >= 145 between 2026-01-02 and 2026-01-20", at(25), text, gap_days=15
    ) == ("no", at(20))


def test_a_last_line_without_an_end_decides_nothing() -> None:
    for rows, expression, now in (
        ("2026-01-05,144\n2026-01-06,145", RISES, at(9)),
        (f"{DAILY[11:]}2026-02-01,1", RISES, at(1, 12, month=2)),
        (f"{DAILY[11:]}2026-02-01,1\n2026-01-30T12:00,140", RISES, at(1, 12, month=2)),
    ):
        with pytest.raises(CannotTell, match="has no line end: it may go on") as caught:
            found(expression, now, f"date,value\n{rows}")
        assert caught.value.temporary
        assert found(expression, now, f"date,value\n{rows}\n") is not None


def test_a_last_line_without_an_end_that_decides_nothing_does_not_count() -> None:
    for rest in ("2026-01-06,14", "2026-01-06,", "2026-01", "2026-01-06,-", "2026-01-06,1,2"):
        assert found(RISES, at(9), f"date,value\n2026-01-05,144\n{rest}") is None
        decided = f"date,value\n2026-01-05,145\n{rest}"
        assert found(RISES, at(9), decided) == ("yes", at(5))


def test_a_day_begins_where_the_series_is_made() -> None:
    """Offsets change within the window: 8 March 2026 in New York."""
    asked = question(scheduled_close_time=at(31, month=3))
    settings = {"source": "data", "expression": "max(value) > 1", "zone": "America/New_York"}
    for day, hour in (("2026-03-07", 5), ("2026-03-09", 4)):
        finding = look("series", settings, at(30, month=3), asked, data=csv((day, 2)))
        assert outcome(finding) == ("yes", at(int(day[-2:]), hour, month=3))


def test_json_is_read_too_where_a_path_leads_to_the_rows() -> None:
    rows = [
        {"when": "2026-01-05T12:00:00+02:00", "close": "146.5"},
        {"when": "2026-01-06", "close": None},
    ]
    settings = {"source": "data", "expression": "max(close) >= 145", "time": "when", "rows": "a.b"}
    finding = look("series", settings, at(9), data=json.dumps({"a": {"b": rows}}))
    assert outcome(finding) == ("yes", at(5, 10))
    assert finding is not None
    assert finding.seen[0].address == "data"


def test_a_series_that_changed_its_form_decides_nothing() -> None:
    for text, fault in (
        ("", "is empty"),
        ("date,val", "is empty"),
        ("date,price\n2026-01-05,1\n", "no column 'value'"),
        ("date,value,value\n2026-01-05,1,2\n", "more than one column 'value'"),
        ("date,value\n2026-01-05,1,5\n", "data, line 2: 3 cells"),
        ("date,value\nsoon,1\n", "'soon' as its time, which is not a time"),
        ("date,value\n2026-01-05,many\n", "'many' as 'value', which is not a number"),
        ("date,value\n2026-01-05,inf\n", "which is not a number"),
        ("date,value\n2026-01-05,1\n2026-01-05,2\n", "another row has 1.0"),
        ("[1, 2]", "no list of objects"),
        ('[{"date": "2026-01-05"}]', "has no 'value'"),
        ('[{"date": ', "is not JSON"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("[" * 100_000, "is not JSON"),
    ):
        with pytest.raises(CannotTell, match=fault) as caught:
            look("series", {"source": "data", "expression": RISES}, at(9), data=text)
        unreadable = {"is empty", "is not JSON", "is not UTF-8"}
        assert caught.value.temporary is (fault in unreadable)
        assert caught.value.remedy


def test_an_empty_window_decides_nothing_but_a_count() -> None:
    text = csv(("2026-01-01", "."), ("2026-02-01", 5))
    with pytest.raises(CannotTell, match="no value between"):
        found(RISES, at(3, month=2), text, gap_days=31)
    assert found("count(value) >= 1", at(3, month=2), text, gap_days=31) == ("no", CLOSE)


def test_unusable_settings_are_refused() -> None:
    for settings, fault in (
        ({"source": "data"}, "expression"),
        ({"source": "data", "expression": "max(value) => 1"}, "not a series expression"),
        ({"source": "data", "expression": "__import__('os')"}, "not a series expression"),
        ({"source": "data", "expression": "max(value) > 1 between open and soon"}, "'soon'"),
        ({"source": "data", "expression": "max(value) > 1e999"}, "too large"),
        ({"source": "data", "expression": RISES, "zone": "Mars"}, "not a time zone"),
        ({"source": "data", "expression": RISES, "zone": "../../etc/passwd"}, "not a time zone"),
        ({"source": "data", "expression": RISES, "rows": "a.["}, "not a JMESPath"),
        ({"source": "data", "expression": RISES, "gap_days": -1}, "gap_days"),
        ({"source": "data", "expression": RISES, "colour": "red"}, "colour"),
        ({"source": "", "expression": RISES}, "source"),
        ({"source": "data", "expression": "max(value)"}, "a binary question"),
    ):
        with pytest.raises(BadInput) as refused:
            look("series", settings, at(9), data=csv())
        assert fault in " ".join([str(refused.value), *map(str, refused.value.problems)])


@given(
    st.sampled_from(["max", "min", "count", "mean", "sum", "first", "last"]),
    st.sampled_from([">", ">=", "<", "<=", "=="]),
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.integers(0, 6),
)
def test_early_decisions_are_final(what: str, sign: str, values: list[int], bound: int) -> None:
    settings = Settings(source="data", expression=f"{what}(value) {sign} {bound}")
    days = [f"2026-01-{5 + day:02d}" for day in range(len(values))]
    text = csv(*zip(days, values, strict=True))
    end = found(settings.expression, at(1, month=2), text, gap_days=30)
    truth = {
        "max": max, "min": min, "count": len, "sum": sum, "mean": lambda v: sum(v) / len(v),
        "first": lambda v: v[0], "last": lambda v: v[-1],
    }[what](values)  # fmt: skip
    holds = {
        ">": truth > bound, ">=": truth >= bound, "<": truth < bound, "<=": truth <= bound,
        "==": truth == bound,
    }[sign]  # fmt: skip
    assert end[0] == ("yes" if holds else "no")
    for day in range(len(values)):
        early = found(settings.expression, at(5 + day), text)
        assert early is None or early[0] == end[0]
