"""All tables, from articles to scores.

article -> question -> forecast + evidence -> resolution -> score

The tables in ``APPEND_ONLY`` are only added to: an update, a withdrawal, a new wording and a
corrected resolution are new rows, and triggers refuse UPDATE and DELETE (see ``migrations``).
Status, the end of a forecast and the crowd are derived, not stored. Scores are stored as a cache;
``scores.rebuild`` recomputes them. Each row of history has an ``Entry``, which shows later changes
(see ``chain``).

``table=True`` classes do not validate when constructed: verbs validate first, and the CHECK
constraints also hold for writes that go around the verbs. A new row's id is None until it is
flushed.
"""

from __future__ import annotations

from forecasts.common.vocabulary import DIGEST_ADDRESS, EvidenceKind, QuestionType, Stance
from forecasts.ledger.models.agenda import (
    Channel,
    Event,
    Glance,
    Notice,
    NoticeState,
    Revisit,
)
from forecasts.ledger.models.articles import Article
from forecasts.ledger.models.chain import Entry, Removal, Upkeep, UpkeepAct
from forecasts.ledger.models.columns import Real, Time
from forecasts.ledger.models.people import (
    AliasSalt,
    Appointment,
    BotOwner,
    EndedSession,
    IdempotentAnswer,
    Identity,
    Ledger,
    Member,
    MemberKind,
    Membership,
    Preference,
    Role,
    Team,
    TeamRule,
    Theme,
    Token,
    TokenRevocation,
)
from forecasts.ledger.models.questions import (
    Discard,
    DistinctPair,
    Question,
    QuestionOrigin,
    QuestionRevision,
    QuestionSource,
    QuestionText,
    Visibility,
)
from forecasts.ledger.models.resolution import (
    Dispute,
    Exhibit,
    ExhibitContent,
    LastRun,
    Policy,
    PolicyKind,
    PrintedScore,
    Resolution,
    ResolutionState,
    Resolver,
    ResolverRun,
    RunState,
    Score,
    Watch,
)
from forecasts.ledger.models.stored_forms import add_enum_checks
from forecasts.ledger.models.updates import (
    Citation,
    Comment,
    Evidence,
    Forecast,
    ModelUse,
)

__all__ = [
    "APPEND_ONLY",
    "DIGEST_ADDRESS",
    "AliasSalt",
    "Appointment",
    "Article",
    "BotOwner",
    "Channel",
    "Citation",
    "Comment",
    "Discard",
    "Dispute",
    "DistinctPair",
    "EndedSession",
    "Entry",
    "Event",
    "Evidence",
    "EvidenceKind",
    "Exhibit",
    "ExhibitContent",
    "Forecast",
    "Glance",
    "IdempotentAnswer",
    "Identity",
    "LastRun",
    "Ledger",
    "Member",
    "MemberKind",
    "Membership",
    "ModelUse",
    "Notice",
    "NoticeState",
    "Policy",
    "PolicyKind",
    "Preference",
    "PrintedScore",
    "Question",
    "QuestionOrigin",
    "QuestionRevision",
    "QuestionSource",
    "QuestionText",
    "QuestionType",
    "Real",
    "Removal",
    "Resolution",
    "ResolutionState",
    "Resolver",
    "ResolverRun",
    "Revisit",
    "Role",
    "RunState",
    "Score",
    "Stance",
    "Team",
    "TeamRule",
    "Theme",
    "Time",
    "Token",
    "TokenRevocation",
    "Upkeep",
    "UpkeepAct",
    "Visibility",
    "Watch",
]

add_enum_checks()

APPEND_ONLY = (
    "ledger",
    "membership",
    "appointment",
    "team_rule",
    "article",
    "question",
    "question_revision",
    "question_source",
    "question_origin",
    "forecast",
    "model_use",
    "evidence",
    "citation",
    "printed_score",
    "comment",
    "resolver",
    "resolution",
    "policy",
    "exhibit",
    "exhibit_content",
    "dispute",
    "discard",
    "revisit",
    "token",
    "token_revocation",
    "bot_owner",
    "alias_salt",
    "removal",
    "entry",
)
