"""The words of the field that the ledger stores and every room uses."""

from __future__ import annotations

from enum import StrEnum

DIGEST_ADDRESS = "urn:sha256:"  # with its hash, the address of an article without a URL


class QuestionType(StrEnum):
    """The kind of answer to a question."""

    binary = "binary"
    multiple_choice = "multiple_choice"
    numeric = "numeric"
    date = "date"

    @property
    def is_quantitative(self) -> bool:
        """Whether the answer is a number or a date, forecast by quantiles."""
        return self in (QuestionType.numeric, QuestionType.date)


class Stance(StrEnum):
    """The effect of evidence on the outcome, whichever way the forecast moves.

    ``updates.evidence.CitedEvidence`` defines the outcome.
    """

    supports = "supports"
    opposes = "opposes"
    context = "context"


class EvidenceKind(StrEnum):
    """The kind of source of a piece of evidence."""

    news = "news"
    data = "data"
    base_rate = "base_rate"
    expert = "expert"
    model = "model"
    other = "other"


class GroupKind(StrEnum):
    """The kind of a group: how the outcomes of its members depend on each other.

    Not at all; at most one is yes; exactly one is yes; or each yes makes the later ones yes.
    """

    independent = "independent"
    exclusive = "exclusive"
    exhaustive = "exhaustive"
    nested = "nested"


class LinkKind(StrEnum):
    """The effect of one question on another, in a member's judgement."""

    implies = "implies"
    excludes = "excludes"
    equivalent = "equivalent"
    causes = "causes"


class LinkStrength(StrEnum):
    """How sure a link is, in words."""

    certain = "certain"
    strong = "strong"
    moderate = "moderate"
    weak = "weak"
