"""The command that judges the wording of questions: lint-question."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from forecasts.cli.console import now, zone
from forecasts.cli.dates import time_of
from forecasts.cli.options import TextOrJson, argument, option
from forecasts.cli.printing import print_line, print_lines, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import reading_as, use_own_zone
from forecasts.common.text import count, on_one_line
from forecasts.questions import registry
from forecasts.questions.linting import as_written, questions_of, read_written
from forecasts.reading.lint import Finding, lint
from forecasts.views.lint import linted


@app.command("lint-question")
def lint_question(
    question: Annotated[
        str,
        argument(
            "QUESTION|FILE|TITLE",
            "A question's ID, its title, or a file: JSON, JSON Lines, or text with the title on "
            "the first line and the criteria below (- for standard input).",
        ),
    ],
    criteria: Annotated[str, option("TEXT", "Resolution criteria (only with a title).")] = "",
    fine_print: Annotated[str, option("TEXT", "Edge cases (only with a title).")] = "",
    opens: Annotated[str | None, option("TIME", "Opening time (only with a title).")] = None,
    closes: Annotated[
        str | None,
        option("TIME", "Last day or time (only with a title). [default: the day in the title]"),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Find faults in a question's wording and suggest fixes.

    forecasts lint-question "Will the minister resign soon?"
    """
    moment = now()
    if question == "-" or (len(question) < 4096 and Path(question).is_file()):
        read = sys.stdin.buffer.read if question == "-" else Path(question).read_bytes
        given = questions_of(read().decode("utf-8", "replace"))
        written = [read_written(one, now=moment, zone=zone()) for one in given]  # without a ledger
    elif registry.is_slug(question):
        with reading_as() as (session, _, _):
            found = registry.find(session, question)
            written = [as_written(registry.newest_wording(session, found))]
    else:
        use_own_zone()
        times = {
            "open_time": time_of(opens, moment=moment),
            "scheduled_close_time": time_of(closes, end_of_day=True, moment=moment),
        }
        words = {"title": question, "resolution_criteria": criteria, "fine_print": fine_print}
        written = [read_written(words | times, now=moment, zone=zone())]
    judged = [(one, lint(one, now=moment)) for one in written]
    if printed_json(format_, [linted(one.title, findings) for one, findings in judged]):
        return
    for one, findings in judged:
        if len(judged) > 1:
            print_line(on_one_line(one.title), style="bold")
        print_lines(_lines(findings))
    faults = sum(one.level == "fault" for _, findings in judged for one in findings)
    advice = sum(len(findings) for _, findings in judged) - faults
    said = [count(faults, "fault")] if faults else []
    said += [count(advice, "suggestion")] if advice else []
    among = f" in {count(len(judged), 'question')}."
    print_note(" and ".join(said) + among if said else "No faults.")


def _lines(findings: list[Finding]) -> Iterator[str]:
    for one in findings:
        label = one.code if one.level == "fault" else f"{one.code} (advice)"
        yield f"{label}: {on_one_line(one.why)}"
        if one.fix is None:
            continue
        where = one.fix.field.replace("_", " ")
        if one.fix.old and not one.fix.new:
            yield f"  {where}: remove {on_one_line(one.fix.old)!r}"
        elif len(one.fix.old) > 200:
            yield f"  {where}: swap Yes and No"
        elif one.fix.old:
            yield f"  {where}: {on_one_line(one.fix.old)!r} → {on_one_line(one.fix.new)!r}"
        else:
            yield f"  {where}: add {one.fix.new!r}"
