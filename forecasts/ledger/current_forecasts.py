"""Each member's newest forecast on each question: rows that are derived from history for lists.

A list needs a crowd's newest forecasts, not the hundred thousand before them. So the act that
writes forecasts also writes their members' rows of ``current_forecast``, in the same transaction.
History alone is the truth: the statement that follows an act also computes all rows again
(``rebuild``), and finds those that differ (``differences``). A row depends on the set of its
forecasts, not on their order, since an import may write older ones later.

Rejected: stored crowds and trends (who counts in them depends on the reader, the owners of bots and
the wording, and from these rows they cost a row a member), and triggers that write.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, text

_COLUMNS = "question_id, member_id, forecast_id, made_at, recorded_at, forecasts, withdrawals"
# The rows that forecasts give, for members and questions that have some.
_GIVEN = (
    f"SELECT {_COLUMNS} FROM (SELECT question_id, member_id, id AS forecast_id, made_at,"  # noqa: S608 tables of ours
    " max(recorded_at) OVER theirs AS recorded_at,"
    " sum(CASE WHEN withdrawn THEN 0 ELSE 1 END) OVER theirs AS forecasts,"
    " sum(CASE WHEN withdrawn THEN 1 ELSE 0 END) OVER theirs AS withdrawals,"
    " row_number() OVER (theirs ORDER BY made_at DESC, id DESC) AS place FROM forecast {where}"
    " WINDOW theirs AS (PARTITION BY question_id, member_id)) AS ranked WHERE place = 1"
)
_ALL = _GIVEN.format(where="")
_INSERT = f"INSERT INTO current_forecast AS held ({_COLUMNS}) "
_LATER = (
    "CASE WHEN (excluded.made_at, excluded.forecast_id) > (held.made_at, held.forecast_id)"
    " THEN excluded.{0} ELSE held.{0} END"
)
_FOLLOW = text(
    _INSERT
    + _GIVEN.format(where="WHERE id BETWEEN :first AND :last")
    + " ON CONFLICT (question_id, member_id) DO UPDATE SET"
    f" forecast_id = {_LATER.format('forecast_id')}, made_at = {_LATER.format('made_at')},"
    " recorded_at = CASE WHEN excluded.recorded_at > held.recorded_at"
    " THEN excluded.recorded_at ELSE held.recorded_at END,"
    " forecasts = held.forecasts + excluded.forecasts,"
    " withdrawals = held.withdrawals + excluded.withdrawals"
)
# A row on both sides is there twice.
_DIFFERENCES = text(
    "SELECT DISTINCT different.question_id, different.member_id, slug, handle FROM (SELECT"  # noqa: S608 as above
    f" {_COLUMNS} FROM ({_ALL} UNION ALL SELECT {_COLUMNS} FROM current_forecast) AS every"
    f" GROUP BY {_COLUMNS} HAVING count(*) = 1) AS different"
    " LEFT JOIN question ON question.id = different.question_id"
    " LEFT JOIN member ON member.id = different.member_id"
    " ORDER BY different.question_id, different.member_id LIMIT :most"
)
MOST = 20  # differences that are named


def follow(connection: Connection, ids: Sequence[int]) -> None:
    """Bring the rows up to date with new forecasts, whose ids rise without others in between."""
    connection.execute(_FOLLOW, {"first": ids[0], "last": ids[-1]})


def rebuild(connection: Connection) -> int:
    """Return the number of rows, all of which are computed again and written.

    They follow altered forecasts too, which ``verification`` names, so that a ledger with some can
    be migrated.
    """
    run, in_file = connection.exec_driver_sql, connection.dialect.name == "sqlite"
    run("DELETE FROM current_forecast")
    if in_file:
        run("PRAGMA ignore_check_constraints = ON")
    try:
        return run(_INSERT + _ALL).rowcount
    finally:
        if in_file:
            run("PRAGMA ignore_check_constraints = OFF")


def differences(connection: Connection) -> list[str]:
    """Return a clause for each row that is not the one that history gives, of many the first."""
    found = connection.execute(_DIFFERENCES, {"most": MOST})
    return [
        f"the current forecast of {_named(row)} is not the one that history gives" for row in found
    ]


def _named(row: Row[tuple[int, int, str | None, str | None]]) -> str:
    who = f"member {row.member_id}" if row.handle is None else row.handle
    return f"{who} on {f'question {row.question_id}' if row.slug is None else repr(row.slug)}"
