"""A sound ledger folder: every table, and questions and forecasts of every type."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from forecasts.folder.folder import FILES

OPENED, CLOSED = "2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z"
TEXTS = {
    "questions": """\
question_id,title,type,options,ordered,lower_bound,upper_bound,unit,resolution,tags,family,quote
rain,Rain?,,,,,,,yes,"[""a""]",f,it may rain
port,,multiple_choice,"[""a"", ""b"", ""Other""]",true,,,,b,,,
depth,,numeric,,,0,9,m,4.5,,,
when,,date,,,2026-01-01,2027-01-01,,2026-03-01,,,
""",
    "forecasts": """\
question_id,forecaster,probability,probabilities,quantiles,rationale,evidence
rain,ana,0.4,,,"dark, ""wet"" clouds","[{""evidence_id"": ""e"", ""stance"": ""opposes"", ""share"": 0.5}]"
rain,bo,0.75,,,,
port,ana,,"[0.5, 0.25, 0.25]",,,
depth,ana,,,"{""0.1"": 1, ""0.5"": 4, ""above"": 0.1}",,
when,bo,,,"{""0.5"": ""2026-04-01""}",,
rain,bo,,,,,
""",  # noqa: E501
    "teams": f"team,forecaster,joined_at,left_at\nred,ana,{OPENED},{CLOSED}\n",
    "evidence": "evidence_id,kind,title,url,publisher\ne,data,t,https://example.org/a,Met\n",
    "articles": "url,title,captured_at,text\n"
    f'https://example.org/a,A,{OPENED},"They say it may rain.\nOr not."\n',
}


def table(name: str) -> list[list[str]]:
    """Return a file's header, with every column that it can have, and its rows."""
    columns = list(FILES[name][0])
    rows = list(csv.DictReader(io.StringIO(TEXTS[name], newline="")))
    for number, row in enumerate(rows):
        if name == "questions":
            row |= {"open_time": OPENED, "scheduled_close_time": CLOSED}
            row |= dict.fromkeys(("known_at", "resolved_at"), CLOSED)
            row["article_url"] = "https://example.org/a" if row["quote"] else ""
        if name == "forecasts":
            row["made_at"] = f"2026-01-0{number + 2}T00:00:00Z"
    return [columns, *([row.get(column, "") for column in columns] for row in rows)]


def text_of(name: str, rows: list[list[str]] | None = None) -> bytes:
    """Return the text of a file, or of the same file with these rows."""
    text = io.StringIO()
    csv.writer(text).writerows(table(name) if rows is None else rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def laid_out(folder: Path, changed: Mapping[str, bytes] = {}) -> Path:
    """Return the folder, which holds these files with their changes, and no others."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name in TEXTS:
        if f"{name}.parquet" not in changed:
            (folder / f"{name}.csv").write_bytes(changed.get(f"{name}.csv", text_of(name)))
    for file in changed:
        (folder / file).write_bytes(changed[file])
    return folder
