"""The README.md of a Metaculus-shaped export."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.folder.frames import Frames

_TEXT = """\
This folder holds a forecast ledger in the shape of a Metaculus data export.
Contains the data for {questions:,} questions
Contains the data for {forecasts:,} user forecasts

# Files

- `question_data.csv`: one row a question. `Question ID` is Metaculus's number for a question that
  came from there, and the ledger's own ID for any other.
- `forecast_data.csv`: one row a forecast. `End Time` is the start of the forecaster's next one on
  the question, or a withdrawal. Forecaster IDs are numbers of this export only.
- `score_data.csv`: peer, baseline and spot scores as the ledger computes them, with bots among the
  peers. Numbers and dates have none: the ledger scores those by CRPS.

# What differs

- `CP Reveal Time` is the spot time, and `Post ID` the family of related questions.
- Forecasts by quantiles are written as CDFs at the numbers of `Continuous Range`, or between the
  outcomes of a discrete question. Between those numbers a CDF is a straight line.
- Earlier wordings, lists of options by time, and crowds are not written.

# Left out

{left_out}

`forecasts export FOLDER` without a format writes everything, `forecasts import` reads both.
"""


def readme(frames: Frames, left_out: Sequence[str]) -> str:
    """Return the text: the files, their meaning, and the parts without a place in them."""
    return _TEXT.format(
        questions=len(frames.questions),
        forecasts=len(frames.forecasts),
        left_out="\n".join(f"- {one}" for one in left_out) or "Nothing.",
    )
