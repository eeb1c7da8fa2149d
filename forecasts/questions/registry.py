"""Registry: validate, register and find questions; make their slugs.

Rewording and closing a question is in ``revisions``, its derived status in ``standing``.
"""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import bindparam
from sqlmodel import Session, col, func, or_, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common import limits
from forecasts.common.errors import BadInput, NotFound, Refused, Remedy
from forecasts.common.text import cut
from forecasts.common.times import to_minute
from forecasts.ledger import current
from forecasts.ledger.append import append
from forecasts.ledger.facts import known
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    QuestionType,
    Team,
    Visibility,
)
from forecasts.questions.passages import Passage
from forecasts.questions.standing import Status, in_batches, listing
from forecasts.values.outcomes import bounds_fault, figure_to_float

# Built once: every verb runs it, building it takes longer, and other writers wait meanwhile.
_BY_SLUG = select(Question).where(Question.slug == bindparam("slug"))

LONGEST_SLUG = 60  # characters of a slug made from a title
_NUMBER = re.compile("[0-9]{1,9}")
_SLUG = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")
# Latin letters that Unicode does not decompose into a plain letter and a mark.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_APOSTROPHES = str.maketrans("", "", "'’ʼ")
_SHOWN = 80  # characters of an invalid value that an error repeats


def question_text(**fields: Any) -> QuestionText:
    """Return a validated wording; BadInput names the field and the rule it breaks."""
    try:
        text = QuestionText.model_validate(fields)
    except ValidationError as error:
        faults = error.errors()
        remedies = dict.fromkeys(_remedy(item) for item in faults)
        raise BadInput(
            " ".join(_sentence(item) for item in faults), remedy=" ".join(remedies)
        ) from None
    limits.require_name(text.title, "The title")
    limits.require_name(text.family, "The family")
    for kind, names in (("tag", text.tags), ("option", text.options)):
        for name in names or ():
            limits.require_name(name, f"The {kind}")
    for field in ("background", "resolution_criteria", "fine_print"):
        limits.require_prose(getattr(text, field), f"The text of the {field.replace('_', ' ')}")
    _check_bounds(text)
    return text


def require_distinct(options: Sequence[str]) -> None:
    """Refuse options that differ only in case: forecasts may name them in any case."""
    for one, other in itertools.combinations(options, 2):
        if one.casefold() == other.casefold():
            raise BadInput(
                f"The options {one!r} and {other!r} differ only in case.",
                remedy="Give them names that differ in more than case.",
            )


def _remedy(item: Any) -> str:
    """Return the way out of one of pydantic's errors on a wording."""
    if item["type"] == "value_error":
        return str(getattr(item["ctx"]["error"], "remedy", ""))
    return f"Give the {str(item['loc'][0]).replace('_', ' ')} in that form."


def _sentence(item: Any) -> str:
    """Return a pydantic error as a sentence; those of our own validators already are."""
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    name = str(item["loc"][0]).replace("_", " ")
    if item["input"] is None or item["type"] == "missing":
        return f"The question has no {name}."
    rule = item["msg"].removeprefix("Input should be ")
    value = cut(repr(item["input"]), _SHOWN)
    return f"The {name} {value} is invalid: it should be {rule}."


def _check_bounds(text: QuestionText) -> None:
    """Refuse bounds that are not numbers (or dates), or whose range cannot be scored."""
    if text.lower_bound is None or text.upper_bound is None:
        return
    numbers = []
    for name, bound in (("lower", text.lower_bound), ("upper", text.upper_bound)):
        try:
            numbers.append(figure_to_float(bound, text.type))
        except (ValueError, BadInput):
            kind = "date" if text.type == QuestionType.date else "number"
            raise BadInput(
                f"The {name} bound {bound!r} is not a {kind}; the bounds of a {text.type} question "
                f"are {kind}s.",
                remedy="Write a day: 2027-03-31."
                if kind == "date"
                else "Write it in digits, without a unit or commas: 1500000 or 2.5.",
            ) from None
    if numbers[0] >= numbers[1]:
        raise BadInput(
            f"The lower bound {text.lower_bound!r} must be below the upper bound "
            f"{text.upper_bound!r}.",
            remedy="Give the smaller one as the lower bound.",
        )
    if fault := bounds_fault(*numbers):
        raise BadInput(
            f"The bounds {text.lower_bound!r} and {text.upper_bound!r} cannot be scored: {fault}.",
            remedy="Ask for the number in another unit, or for its difference from a usual one.",
        )


class NewQuestion(NamedTuple):
    """A question to be written: its slug, its first wording and its sources.

    ``reason``: of the first wording.
    """

    slug: str
    text: QuestionText
    sources: Sequence[Passage] = ()
    reason: str = "registered"


def register(
    session: Session,
    text: QuestionText,
    *,
    member: Member,
    now: datetime,
    slug: str | None = None,
    sources: Sequence[Passage] = (),
) -> Question:
    """Return the new question, which is written with its first wording and its sources.

    Without ``slug``, one is made from the title. The member must be a forecaster, of the question's
    team if it has one; in an unshared ledger, the first restricted question makes its author the
    admin. Refused if the slug is taken, if a question with the same title and scheduled close
    exists that is not annulled, if the scheduled close has passed, since the answer may be known,
    and without resolution criteria if others see it.
    """
    if text.scheduled_close_time <= now:
        raise Refused(
            f"The scheduled close, {to_minute(text.scheduled_close_time)}, has already passed.",
            remedy=Remedy(
                "Give a later close time. To add past questions, import them: {}", "import", "FILE"
            ),
        )
    require_can_ask(session, text, member=member, now=now)
    require_distinct(text.options or ())
    if not text.has_criteria and others_see(session, text):
        raise Refused(
            f"{text.title!r} has no resolution criteria, and what others see needs them.",
            remedy="Write criteria that a stranger could apply, or register it for yourself alone.",
        )
    _require_new(session, text, now)
    if slug is None:
        stem = stem_of(text.title) or "question"
        taken = select(Question.slug).where(col(Question.slug).startswith(stem))
        slug = free_slug(text.title, set(session.exec(taken)))
    elif not is_slug(slug):
        raise BadInput(
            f"{slug!r} is not an ID: use letters, digits, hyphens, dots and underscores.",
            remedy="Leave it out to have one made from the title.",
        )
    elif _NUMBER.fullmatch(slug):
        raise BadInput(
            f"{slug!r} would be confused with the number of a question in the list.",
            remedy="Use a letter in it, or leave it out to have one made from the title.",
        )
    new = NewQuestion(slug, text, sources)
    [id_] = insert_questions(session, [new], member=member, now=now)
    return session.get_one(Question, id_)


def require_can_ask(session: Session, text: QuestionText, *, member: Member, now: datetime) -> None:
    """Refuse a question for a team by a member who may not ask there.

    The first restricted question makes its author the ledger's admin.
    """
    team = None if text.team_id is None else session.get_one(Team, text.team_id)
    roles.require(session, member, Action.ask, team, now=now)
    if text.visibility is not Visibility.everyone:
        roles.ensure_admin(session, member, now=now)


def others_see(session: Session, text: QuestionText) -> bool:
    """Return whether a question with this wording is visible to others than its author.

    A ledger without roles is taken for one person's.
    """
    if text.visibility == Visibility.everyone:
        return roles.is_shared(session)
    return text.visibility == Visibility.team


def _require_new(session: Session, text: QuestionText, now: datetime) -> None:
    """Refuse the title of another question with the same close, ignoring case and spacing."""
    closing = session.exec(
        select(Question.slug, QuestionRevision.title)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(QuestionRevision.scheduled_close_time == text.scheduled_close_time)
    )
    words = text.title.casefold().split()
    alike = [slug for slug, title in closing if title.casefold().split() == words]
    for state in listing(session, now=now, only=alike):
        if (
            state.text.scheduled_close_time == text.scheduled_close_time
            and state.text.title.casefold().split() == words
            and state.status != Status.annulled
        ):
            other = "another title or close time."
            raise Refused(
                f"This question is already registered as {state.slug!r}: it has the same title "
                f"and closes at the same time, {to_minute(text.scheduled_close_time)}.",
                remedy=(
                    Remedy("Forecast on that one: {},", "update", state.slug, "P"),
                    f"or give yours {other}",
                )
                if state.accepts_forecasts(now)
                else f"That one is {state.status} and takes no forecasts. Give yours {other}",
            )


def insert_questions(
    session: Session, new: Sequence[NewQuestion], *, member: Member, now: datetime
) -> Sequence[int]:
    """Return the ids of new questions, which are written in one batch, for verbs and imports.

    Refused for a slug in use; nothing else is checked.
    """
    if not new:
        return []
    require_new_slugs(session, [question.slug for question in new])
    count = len(new)
    written: dict[str, list[Any]] = {"member_id": [member.id] * count, "recorded_at": [now] * count}
    ids = append(session, "question", {"slug": [one.slug for one in new]} | written)
    texts = {name: [getattr(one.text, name) for one in new] for name in QuestionText.model_fields}
    for name in ("type", "visibility"):
        texts[name] = list(map(str, texts[name]))
    first = {"question_id": ids, "number": [1] * count, "reason": [one.reason for one in new]}
    append(session, "question_revision", {**texts, **first, **written})
    sources = [
        asdict(passage.quote) | {"question_id": id_, "article_id": passage.article.id}
        for id_, one in zip(ids, new, strict=True)
        for passage in one.sources
    ]
    if sources:
        append(session, "question_source", {n: [row[n] for row in sources] for n in sources[0]})
    return ids


def require_new_slugs(session: Session, slugs: Sequence[str]) -> None:
    """Refuse a slug that a question has, also one that the reader may not see."""
    for some in in_batches(slugs):
        slug = session.exec(select(Question.slug).where(col(Question.slug).in_(some))).first()
        if slug is not None:
            raise Refused(
                f"There is already a question {slug!r}.",
                remedy="Choose another ID; a discarded question keeps its own.",
            )


def find(session: Session, slug: str) -> Question:
    """Return the question with this slug, else this number; NotFound suggests similar slugs."""
    question = known(
        session, ("question", slug), lambda s: s.exec(_BY_SLUG, params={"slug": slug}).first()
    )
    if question is None and _NUMBER.fullmatch(slug):
        question = session.get(Question, int(slug))
    if question is not None and visibility.is_visible(session, question):
        return question
    raise roles.question_not_found(slug, similar_slugs(session, slug))


def find_named(session: Session, name: str) -> Question:
    """Return the question with this slug, number or title, in any case; errors as in ``find``."""
    alike = (
        select(Question)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(
            current.is_newest_wording(),
            visibility.question_visible(session),
            or_(
                func.lower(QuestionRevision.title) == name.lower(),
                func.lower(Question.slug) == name.lower(),
            ),
        )
        .limit(2)
    )
    try:
        return find(session, name)
    except NotFound:
        if len(found := session.exec(alike).all()) != 1:
            raise
        return found[0]


def similar_slugs(session: Session, slug: str) -> list[str]:
    """Return up to three visible questions' slugs with a similar spelling, closest first."""
    slugs = session.exec(select(Question.slug).where(visibility.question_visible(session))).all()
    return difflib.get_close_matches(slug, slugs, n=3)


def newest_wording(session: Session, question: Question) -> QuestionRevision:
    """Return the newest wording of a question that the reader may see."""
    visibility.require_visible(session, question)
    return current.newest_wording(session, question.id)


def is_slug(text: str) -> bool:
    """Return whether ``text`` is a valid slug."""
    return _SLUG.fullmatch(text) is not None


def stem_of(title: str) -> str:
    """Return as many whole words of the title as fit into a slug; '' without Latin letters.

    >>> stem_of("Will Müller & Söhne’s Łódź plant close?")
    'will-muller-sohnes-lodz-plant-close'
    """
    folded = title.casefold().translate(_APOSTROPHES).translate(_LATIN)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    if not any(letter.isalpha() for letter in plain):
        return ""  # another script: its digits alone would not identify the question
    lengths = itertools.accumulate(1 + len(word) for word in words)
    fitting = [
        word for word, length in zip(words, lengths, strict=True) if length <= LONGEST_SLUG + 1
    ]
    return "-".join(fitting) or words[0][:LONGEST_SLUG]


def free_slug(title: str, taken: Container[str]) -> str:
    """Return a slug for the title that is not ``taken``, with a number if necessary.

    A title without Latin letters gets question-1, question-2, and so on.
    """
    stem = stem_of(title)
    numbered = (f"{stem or 'question'}-{number}" for number in itertools.count(2 if stem else 1))
    return next(
        slug for slug in itertools.chain([stem] if stem else [], numbered) if slug not in taken
    )
