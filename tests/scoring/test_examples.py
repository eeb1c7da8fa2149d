"""Scores of the platforms' own rules for whole ledger folders."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scoring import score

EXAMPLES = Path(__file__).parent / "examples"


@pytest.mark.parametrize("folder", ["metaculus", "gjo"])
def test_a_platforms_published_rules_give_the_same_rows_and_scores(folder: str) -> None:
    questions = pd.read_csv(EXAMPLES / folder / "questions.csv")
    forecasts = pd.read_csv(EXAMPLES / folder / "forecasts.csv")
    expected = pd.read_csv(EXAMPLES / folder / "expected.csv")
    names = expected["protocol"].unique().tolist()
    found = score(questions, forecasts, names)
    key = ["protocol", "question_id", "forecaster"]
    both = expected.merge(found, on=key, how="outer", suffixes=("_expected", ""), indicator=True)
    assert (both["_merge"] == "both").all(), both[both["_merge"] != "both"]
    for column in ("score", "coverage"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], rtol=0, atol=1e-8)
    assert found[key].equals(found[key].sort_values(key, ignore_index=True))
