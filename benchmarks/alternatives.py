"""The same work with the usual tools."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

TIME_WEIGHTED_BRIER = """
with standing as (
    select f.question_id, f.forecaster, f.probability as p, q.resolution as y,
        greatest(epoch_us(f.made_at), epoch_us(q.open_time)) as began,
        least(
            coalesce(
                lead(epoch_us(f.made_at)) over (
                    partition by f.question_id, f.forecaster order by f.made_at
                ),
                epoch_us(q.actual_close_time)
            ),
            epoch_us(q.actual_close_time)
        ) as ended,
        epoch_us(q.scheduled_close_time) - epoch_us(q.open_time) as whole
    from forecasts f join questions q using (question_id)
)
select question_id, forecaster,
    sum((ended - began) * (p - y) * (p - y)) / sum(ended - began) as score,
    sum(ended - began) / any_value(whole) as coverage,
    count(*) as updates
from standing
where ended > began and p is not null
group by question_id, forecaster
"""
QUESTIONS_OF_PARTS = """
create view questions as select question_id, open_time, scheduled_close_time,
    coalesce(actual_close_time, scheduled_close_time) as actual_close_time,
    case resolution when 'yes' then 1.0 else 0.0 end as resolution
from read_parquet('{folder}/questions/*.parquet') where resolution in ('yes', 'no')
"""

PATH = ["question_id", "forecaster"]
MADE = pl.col("made_at").dt.epoch("us")


def in_duckdb(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.register("questions", questions)
    connection.register("forecasts", forecasts)
    return connection.execute(TIME_WEIGHTED_BRIER + "order by question_id, forecaster").df()


def parts_in_duckdb(folder: Path, output: Path, memory: str = "2GB") -> None:
    """Score parts into one Parquet file. Forecasts beyond the memory are sorted on disk."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"set memory_limit = '{memory}'")
    connection.execute(f"set temp_directory = '{output.parent}/duckdb'")
    connection.execute(QUESTIONS_OF_PARTS.format(folder=folder))
    found = f"read_parquet('{folder}/forecasts/*.parquet')"
    connection.execute(f"create view forecasts as select * from {found}")
    connection.execute(f"copy ({TIME_WEIGHTED_BRIER}) to '{output}' (format parquet)")


def parts_in_polars(folder: Path, output: Path) -> None:
    """Score parts into one Parquet file in a stream, by the order of the forecasts.

    Unlike SQL it may use that order, so it needs no window: the next row ends a forecast, unless it
    is another forecaster's.
    """
    last = pl.any_horizontal(pl.col(name) != pl.col(name).shift(-1) for name in PATH)
    _score_in_polars(folder, output, pl.when(last).then(None).otherwise(MADE.shift(-1)))


def parts_in_polars_windows(folder: Path, output: Path) -> None:
    """Score parts into one Parquet file in a stream, by window expressions.

    This is the usual query. It needs only each forecaster's own forecasts in order.
    """
    _score_in_polars(folder, output, MADE.shift(-1).over(PATH))


def _score_in_polars(folder: Path, output: Path, following: pl.Expr) -> None:
    """Score parts into one Parquet file. ``following``: when a forecaster's next one was made."""
    close = pl.coalesce("actual_close_time", "scheduled_close_time")
    questions = (
        pl.scan_parquet(folder / "questions" / "*.parquet")
        .filter(pl.col("resolution").is_in(["yes", "no"]))
        .select(
            "question_id",
            close=close.dt.epoch("us"),
            opened=pl.col("open_time").dt.epoch("us"),
            whole=(pl.col("scheduled_close_time") - pl.col("open_time")).dt.total_microseconds(),
            y=(pl.col("resolution") == "yes").cast(pl.Float64),
        )
    )
    live = pl.col("ended") - pl.col("began")
    (
        pl.scan_parquet(folder / "forecasts" / "*.parquet")
        .select(*PATH, p=pl.col("probability"), made=MADE, next=following)
        .filter(pl.col("p").is_not_null())
        .join(questions, on="question_id")
        .select(
            *PATH,
            "p",
            "y",
            "whole",
            began=pl.max_horizontal("made", "opened"),
            ended=pl.min_horizontal("next", "close"),
        )
        .select(*PATH, "whole", earned=(pl.col("p") - pl.col("y")) ** 2 * live, live=live)
        .filter(pl.col("live") > 0)
        .group_by(PATH)
        .agg(
            score=pl.col("earned").sum() / pl.col("live").sum(),
            coverage=pl.col("live").sum() / pl.col("whole").first(),
            updates=pl.len(),
        )
        .sink_parquet(output, engine="streaming")
    )


def assert_equal_parts(ours: Path, theirs: Path) -> int:
    """Return the number of scores in a folder of results. Raise if the alternative has others."""
    [rows] = duckdb.sql(
        f"""
        select count(*) as ours, count(t.score) as both,
            max(abs(o.score - t.score)) as score, max(abs(o.coverage - t.coverage)) as coverage,
            (select count(*) from read_parquet('{theirs}')) as theirs
        from read_parquet('{ours}/scores/*.parquet') o
        left join read_parquet('{theirs}') t using (question_id, forecaster)
        """
    ).fetchall()
    count, both, score, coverage, other = rows
    assert count == both == other, rows
    assert max(score, coverage) < 1e-9, rows
    return int(count)


def in_pandas(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    names = ["question_id", "open_time", "scheduled_close_time", "actual_close_time", "resolution"]
    rows = forecasts.sort_values(["question_id", "forecaster", "made_at"], kind="stable")
    rows = rows.merge(questions[names], on="question_id", how="left")
    by = ["question_id", "forecaster"]
    close = rows["actual_close_time"]
    ended = rows.groupby(by, observed=True)["made_at"].shift(-1).fillna(close)
    ended = ended.where(ended < close, close)
    began = rows["made_at"].where(rows["made_at"] > rows["open_time"], rows["open_time"])
    live = (ended - began).dt.total_seconds()
    rows = rows.assign(live=live, earned=(rows["probability"] - rows["resolution"]) ** 2 * live)
    whole = (rows["scheduled_close_time"] - rows["open_time"]).dt.total_seconds()
    rows = rows.assign(whole=whole)[live > 0]
    found = rows.groupby(by, observed=True).agg(
        live=("live", "sum"), earned=("earned", "sum"), whole=("whole", "first"),
        updates=("live", "size"),
    )  # fmt: skip
    return pd.DataFrame(
        {
            "score": found["earned"] / found["live"],
            "coverage": found["live"] / found["whole"],
            "updates": found["updates"],
        }
    ).reset_index()


def assert_equal(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Raise if the alternative gives other scores."""
    np.testing.assert_allclose(ours["score"], theirs["score"], rtol=1e-9)
    np.testing.assert_allclose(ours["coverage"], theirs["coverage"], rtol=1e-9)
