"""P-values and correlations in words, alike in every sentence of a report."""

from __future__ import annotations

from forecasts.common.text import count


def over_families(families: int) -> str:
    """Return the unit of an interval or a p-value: ``over 212 families of questions``."""
    return f"over {count(families, 'family')} of questions"


def chance(p_value: float, families: int) -> str:
    """Return a p-value as a frequency, with its number of observations.

    >>> chance(0.42, 212)
    '42 of 100 such records (212 families of questions)'
    >>> chance(0.0026, 212)
    '1 of 380 such records (212 families of questions)'
    >>> chance(1e-9, 1)
    'fewer than 1 of 10,000 such records (1 family of questions)'
    """
    return f"{often(p_value)} such records ({count(families, 'family')} of questions)"


def often(p_value: float) -> str:
    """Return a p-value as a frequency: ``42 of 100``, ``1 of 380``."""
    if p_value >= 0.05:
        return f"{p_value * 100:.0f} of 100"
    return (
        "fewer than 1 of 10,000" if p_value < 1e-4 else f"1 of {float(f'{1 / p_value:.2g}'):,.0f}"
    )


def survives(tipping: float | None) -> str:
    """Return how much correlation of questions a claim bears, as a sentence.

    >>> survives(0.031)
    'This claim would fail if outcomes of questions open together had a correlation over 0.031.'
    """
    if tipping is None:
        return "This claim would hold with any correlation of outcomes of questions open together."
    least = "of only 0.001" if tipping < 0.001 else f"over {tipping:.2g}"
    return (
        f"This claim would fail if outcomes of questions open together had a correlation {least}."
    )
