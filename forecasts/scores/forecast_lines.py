"""Reading all forecasts of a ledger in a file as text, while other work goes on.

The driver takes the interpreter's lock for each row. Without the lock, SQLite joins thousands of
rows into one text and Arrow reads the text, in half the time. A command can import its libraries
meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, type_coerce
from sqlmodel import Session, case, func, select

from forecasts.access.visibility import forecast_visible
from forecasts.ledger.models import Forecast
from forecasts.ledger.urls import sqlite_path

# Rows that become one text.
_TOGETHER = 1 << 16
# Older versions of SQLite do not write numbers exactly on every system.
_EXACT = sqlite3.sqlite_version_info >= (3, 43)


@dataclass(frozen=True)
class Lines:
    """The forecasts that the session's reader may see.

    ``table``: a ``pyarrow.Table`` of id, question and member (their ids), made_at and probability,
    ordered by question, member, time and id. ``several``: the probabilities or quantiles of those
    that have them, as JSON, by id.
    """

    table: Any
    several: dict[int, str]


@contextmanager
def read_ahead(session: Session) -> Iterator[Callable[[], Lines] | None]:
    """Yield a function that waits for the forecasts, which a thread reads.

    None for a server and for an old SQLite: they are read by rows. The session must not be used
    before the function returns; the block ends after the thread.
    """
    if not _EXACT or sqlite_path(session.get_bind()) is None:  # type: ignore[arg-type]
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(_read, session.connection(), forecast_visible(session)).result


def _read(connection: Any, visible: Any) -> Lines:
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    line = func.printf(
        "%d,%d,%d,%s,%s",
        *(forecast.id, forecast.question_id, forecast.member_id),
        type_coerce(forecast.made_at, Text),
        # 17 digits restore the exact number.
        case(
            (forecast.probability.is_(None), ""), else_=func.printf("%!.17g", forecast.probability)
        ),
    )
    value = type_coerce(func.coalesce(forecast.probabilities, forecast.quantiles), Text)
    joined = select(func.group_concat(line, "\n"), func.count(value)).where(visible)
    parts, least = [], select(func.min(forecast.id))
    at = connection.execute(least).scalar_one()
    while at is not None:
        end = at + _TOGETHER
        some = joined.where(forecast.id >= at, forecast.id < end)
        parts.append(connection.execute(some).one())
        at = connection.execute(least.where(forecast.id >= end)).scalar_one()
    several = {}
    if any(many for _, many in parts):
        rows = select(forecast.id, value).where(visible, value.is_not(None))
        several = dict(connection.execute(rows).all())
    return Lines(_table([text for text, _ in parts if text]), several)


def _table(texts: Sequence[str]) -> Any:
    # Late, so that the database is read meanwhile.
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    types = {
        **dict.fromkeys(("id", "question", "member"), pa.int64()),
        "made_at": pa.timestamp("us"),
        "probability": pa.float64(),
    }
    if not texts:
        return pa.schema(types).empty_table()
    table = csv.read_csv(
        pa.BufferReader("\n".join(texts).encode()),
        csv.ReadOptions(column_names=list(types)),
        convert_options=csv.ConvertOptions(column_types=types),
    )
    id_, question, member, time = (table[name].to_numpy() for name in list(types)[:4])
    path = question * (member.max() + 1) + member
    return table.take(np.lexsort((id_, time, path)))
