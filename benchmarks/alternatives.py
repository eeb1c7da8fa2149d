"""The same work with the usual tools."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

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
where ended > began
group by question_id, forecaster
order by question_id, forecaster
"""


def in_duckdb(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.register("questions", questions)
    connection.register("forecasts", forecasts)
    return connection.execute(TIME_WEIGHTED_BRIER).df()


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
