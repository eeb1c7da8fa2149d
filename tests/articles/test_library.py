"""Articles in the ledger: each is stored once, with stable draft numbers."""

from __future__ import annotations

import pytest
from sqlalchemy import func
from sqlmodel import Session, select

from forecasts.articles import library
from forecasts.articles.drafts import drafts_of, find_draft
from forecasts.common.errors import BadInput, NotFound
from forecasts.ledger.models import Article, Member
from forecasts.questions import passages, registry
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from tests.conftest import ask, day

HERE = "https://example.org/quay"
TEXT = (
    "The new quay has cost more than the council had set aside, and nobody knows why.\n\n"
    "The harbour master will open the quay by 20 January. Nobody objected.\n\n"
    "The ferry is to be replaced by a bridge, the mayor said, and she may resign."
)


def article(
    text: str = TEXT, *, title: str = "Quay late", url: str | None = HERE
) -> CapturedArticle:
    return CapturedArticle(title, "The Port Gazette", None, day(-1), url, text)


def put(session: Session, member: Member, *captured: CapturedArticle) -> list[tuple[int, bool]]:
    """Store the articles together; return each one's number and whether it is new."""
    stored = library.store(session, captured, member=member, captured_at=day(0))
    return [(row.id or 0, new) for row, new in stored]


def rows(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Article)).one()


@pytest.mark.parametrize(
    "again",
    [
        article(), article(url="https://mirror.example.org/quay"),
        article(url=None, title="Copied"), article(TEXT.replace("20 January", "27 January")),
        article(TEXT.replace("20 January", "27 January"), title="Quay later still"),
        article("The quay is open, and the paper has nothing else to say.", title="QUAY LATE"),
    ],
    ids=["the same", "elsewhere", "pasted", "corrected", "corrected and retitled", "rewritten"],
)  # fmt: skip
def test_it_stores_the_same_article_once(
    session: Session, alice: Member, again: CapturedArticle
) -> None:
    [(number, _)] = put(session, alice, article())
    assert put(session, alice, again) == [(number, False)]
    assert rows(session) == 1


@pytest.mark.parametrize(
    "other",
    [
        article("A court has ordered the broadcaster to rehire its editor.", title="Court"),
        article(f"{TEXT}\n\n" + "And so it went on for a long while. " * 20),
        article(TEXT.replace("20 January", "27 January"), url="https://example.org/quay-2"),
        article(TEXT.replace("20 January", "27 January"), url=None),
    ],
    ids=["another one there", "the whole of a beginning", "other words elsewhere", "other words"],
)
def test_it_stores_another_article_beside_it(
    session: Session, alice: Member, other: CapturedArticle
) -> None:
    [(number, _)] = put(session, alice, article())
    [(beside, new)] = put(session, alice, other)
    assert new
    assert beside != number
    assert put(session, alice, article(), other) == [(number, False), (beside, False)]


def test_each_part_of_a_page_is_an_article(session: Session, alice: Member) -> None:
    first, second = article(TEXT.partition("\n\n")[0]), article(TEXT.partition("\n\n")[2])
    stored = put(session, alice, first, second)
    assert [new for _, new in stored] == [True, True]
    assert put(session, alice, first, second) == [(number, False) for number, _ in stored]


def test_an_article_of_which_only_the_address_was_known_is_stored_when_it_is_read(
    session: Session, alice: Member
) -> None:
    [(stub, _)] = put(session, alice, article("", title=HERE))
    [(number, new)] = put(session, alice, article())
    assert (new, number != stub) == (True, True)


def test_drafts_are_numbered_in_the_order_of_the_text(session: Session, alice: Member) -> None:
    [(stored, _)] = library.store(session, [article()], member=alice, captured_at=day(0))
    drafts = drafts_of(stored)
    assert [stored.text[draft.start : draft.end] for draft in drafts] == [
        draft.quote for draft in drafts
    ]
    assert find_draft(stored, 1) == drafts[0]
    assert drafts[0].close_date == day(19).date()
    for number in (0, -1, len(drafts) + 1):
        with pytest.raises(NotFound, match=f"no draft {number}: article {stored.id}") as caught:
            find_draft(stored, number)
        assert caught.value.remedy == f"To see them: forecasts articles {stored.id}"


def test_deadlines_count_from_the_capture_where_no_day_is_known(
    session: Session, alice: Member
) -> None:
    undated = CapturedArticle("Quay", None, None, None, None, "It will open within two weeks.")
    [(stored, _)] = library.store(session, [undated], member=alice, captured_at=day(9))
    assert find_draft(stored, 1).close_date == day(9 + 14).date()


def test_an_article_knows_its_questions(session: Session, alice: Member) -> None:
    [(number, _)] = put(session, alice, article())
    source = passages.find_passage(session, number, TextQuote("Nobody objected."))
    text = registry.newest_wording(session, ask(session, alice, slug="own"))
    asked = [registry.NewQuestion(slug, text, [source]) for slug in ("a", "b")]
    registry.insert_questions(session, asked, member=alice, now=day(0))
    found = passages.questions_from(session, source.article, now=day(1))
    assert [(passage.quote, state.slug) for passage, state in found] == [
        ("Nobody objected.", "a"),
        ("Nobody objected.", "b"),
    ]
    assert library.question_counts(session) == {number: 2}


def test_the_list_leaves_the_texts_where_they_are(session: Session, alice: Member) -> None:
    put(session, alice, article("Older.", title="Older", url=None), article())
    session.expunge_all()
    listed, _ = library.listing(session)
    assert listed.title == "Quay late"
    assert "text" not in vars(listed)
    assert library.listing(session, 1) == [listed]


@pytest.mark.slow
def test_the_shelf_is_searched_and_has_an_inbox_and_pages(session: Session, alice: Member) -> None:
    numbers = [
        put(session, alice, article(f"{n} boats came.", title=f"Boats {n}", url=None))[0][0]
        for n in range(25)
    ]
    source = passages.find_passage(session, numbers[0])
    text = registry.newest_wording(session, ask(session, alice, slug="own"))
    asked = registry.NewQuestion("a", text, [source])
    registry.insert_questions(session, [asked], member=alice, now=day(0))
    first, last = library.article_page(session), library.article_page(session, number=9)
    assert (first.total, first.pages, len(first.articles)) == (25, 2, 20)
    assert (last.number, [count for _, count in last.articles]) == (2, [0, 0, 0, 0, 1])
    assert library.article_page(session, without_questions=True).total == 24
    for words in ("17 CAME", "gazette 17"):
        assert [one.title for one, _ in library.article_page(session, words=words).articles] == [
            "Boats 17"
        ]
    assert library.article_page(session, words="%").articles == []
    assert library.article_page(session, words="oa").articles == []  # inside words only


def test_an_address_that_is_longer_than_any_is_refused(session: Session, alice: Member) -> None:
    long = "https://example.org/" + "quay" * 500
    with pytest.raises(BadInput, match="at most 2,000 bytes"):
        put(session, alice, article(url=long))
    assert rows(session) == 0
