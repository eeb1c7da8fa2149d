"""A published folder is altered in over a hundred ways, and each is named, with no code of it run.

The check has two forms, ``verify.py`` and the page ``verify.html``. ``verify.py`` is the reference:
``test_in_browser`` compares the page with it on each of these records.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import QuestionType
from forecasts.ledger.receipts import receipts
from forecasts.publication.forecast_proofs import compare
from forecasts.publication.proof import program
from forecasts.publication.verify import FILE, ONLY, Check, checked, held
from forecasts.values.dependence import holds
from forecasts.values.outline import Outline
from tests.publication.conftest import Filled

NO, HIGH = "if-will-it-rain-is-no-then", "if-will-it-rain-2-is-10-then-2"
Record = dict[str, Any]
Tamper = Callable[[Record], Any]
Folder = Callable[[Path], Any]
END = "the chain does not end in the stated digest: one was altered"
FORM = "record.json does not have the form of this release: public record of forecasts, form 4"


def question(record: Record, slug: str) -> Record:
    [found] = [one for one in record["questions"] if f'"slug":"{slug}"' in one["question"]["row"]]
    return found


def altered(one: Record, old: str, new: str) -> None:
    assert old in one["row"]
    one["row"] = one["row"].replace(old, new)


def digest_of(record: Record) -> str:
    """Return the digest of a record's chain, hashed again."""
    chain = next(one for one in Check(record).said if one.startswith("Chain: "))
    return chain.rpartition("Digest: ")[2]


def edit(slug: str, kind: str, place: int, old: str, new: str) -> Tamper:
    """Return an edit of the text of a question's row."""

    def edit(record: Record) -> None:
        altered(question(record, slug)[kind][place], old, new)

    return edit


def put(*path: Any, of: str = "") -> Tamper:
    """Return an edit of the record, or of a question: its last value goes where the others lead."""

    def edit(record: Record) -> None:
        at: Any = question(record, of) if of else record
        *places, last, value = path
        for place in places:
            at = at[place]
        at[last] = value

    return edit


def doubled(slug: str, kind: str, place: int) -> Tamper:
    """Return an edit that adds a row of a question again."""

    def edit(record: Record) -> None:
        rows = question(record, slug)[kind]
        rows.append(rows[place])

    return edit


def words(part: Callable[[Record], Record], old: str, new: str) -> Tamper:
    """Return an edit of the opened words of a part of the record."""

    def edit(record: Record) -> None:
        assert old in part(record)["said"]
        part(record)["said"] = part(record)["said"].replace(old, new)

    return edit


def a_forecast_of_another_question(record: Record) -> None:
    one = question(record, "rain")["forecasts"].pop()
    question(record, "fog")["forecasts"].append(one)


def a_forecast_without_an_entry(record: Record) -> None:
    one = question(record, "fog")["forecasts"][0]
    altered(one, "0.30000000000000004", "0.01")
    one["place"] = None


def a_forecast_that_is_called_older(record: Record) -> None:
    record |= {"before": Check(record).entries[1].hash, "first": 2}
    del record["entries"][0]
    one = question(record, "rain")["forecasts"][0]
    altered(one, ":0.7,", ":0.99,")
    one["place"] = None


def a_cut_end(record: Record) -> None:
    del record["entries"][-4:]
    record["digest"] = digest_of(record)


def a_chain_hashed_again(record: Record) -> None:
    one = question(record, "rain")["forecasts"][1]
    altered(one, ":0.9,", ":0.99,")
    record["entries"][one["place"] - 1][2] = hashlib.sha256(one["row"].encode()).hexdigest()
    record["digest"] = digest_of(record)


def restamped(change: Callable[[bytes], bytes]) -> Tamper:
    """Return an edit of the first stamp."""

    def edit(record: Record) -> None:
        first = next(iter(record["stamps"]))
        token = change(base64.b64decode(record["stamps"][first]))
        record["stamps"][first] = base64.b64encode(token).decode()

    return edit


def a_stamp_of_another_digest(record: Record) -> None:
    first, *_, last = record["stamps"]
    record["stamps"][first] = record["stamps"][last]


def a_stamp_of_another_ledger(record: Record) -> None:
    first, token = next(iter(record["stamps"].items()))
    record["stamps"][f"{first.partition('-')[0]}-{'b' * 64}"] = token


def rows_of(one: Record) -> list[Record]:
    return [one["question"], one["wording"], *one["resolutions"], *one["forecasts"]]


def cut(record: Record, first: int, *, altered: str = ":0.99,") -> None:
    """Begin the chain later, as a ledger of an earlier release may, and alter a row before it."""
    known, ends = Check(record).entries, {}
    for place in range(1, first):
        if question_ := known[place].question:
            ends[question_] = [ends.get(question_, [0])[0] + 1, known[place].hash]
    for entry in record["entries"][first - 1 :]:
        entry += ends.pop(entry[4], [])
    record |= {
        "first": first,
        "before": known[first - 1].hash,
        "entries": record["entries"][first - 1 :],
        "stamps": {
            digest: token
            for digest, token in record["stamps"].items()
            if int(digest.partition("-")[0]) >= first
        },
    }
    for one in (row for each in record["questions"] for row in rows_of(each)):
        if one["place"] < first:
            one["place"] = None
            one["row"] = one["row"].replace(":0.7,", altered)
    [kate] = record["members"]
    kate["place"] = None
    names = "others", "elsewhere", "questions_elsewhere"
    hidden = [int(first <= 13), *[int(first <= 14)] * 2]  # bob's on rain, and kate's on mine
    record["counts"] |= dict(zip(names, hidden, strict=True))


def a_cut_to_nothing(record: Record) -> None:
    digest = record["digest"]
    cut(record, len(record["entries"]))
    record |= {"first": record["first"] + 1, "before": digest.partition("-")[2]}
    record |= {"entries": [], "stamps": {}}
    for one in record["questions"]:
        for each in one["resolutions"]:
            each["place"] = None


def a_cut_with_more_rows_than_entries(record: Record) -> None:
    cut(record, 4)
    rows = question(record, "rain")["forecasts"]
    row = rows[0]["row"].replace('"id":1,', '"id":0,')
    rows.insert(0, {"place": None, "row": row})
    record["counts"]["forecasts"] += 1


def exchanged(record: Record) -> None:
    entries = record["entries"]
    entries[4], entries[6] = entries[6], entries[4]


def hashed_again_without_stamps(record: Record) -> None:
    a_chain_hashed_again(record)
    record["stamps"] = {}
    scores = Check(record).scores
    question(record, "rain")["scores"][0]["brier"] = scores[0]
    record["brier"] = sum(scores) / len(scores)


def a_cut_end_without_stamps(record: Record) -> None:
    """Without the outcomes, so without scores."""
    del record["entries"][-2:]
    record |= {"stamps": {}, "brier": None, "digest": digest_of(record)}
    for one in record["questions"]:
        one |= {"resolutions": [], "scores": []}


def a_hidden_reason(record: Record) -> None:
    one = question(record, "rain")["forecasts"][0]
    del one["said"], one["salt"]


RECORDS: dict[str, tuple[Tamper, str]] = {
    "a value": (
        edit("rain", "forecasts", 0, ":0.7,", ":0.8,"),
        "forecast 1 of rain does not match",
    ),
    "a rationale": (
        words(lambda record: question(record, "rain")["forecasts"][0], "perhaps", "maybe"),
        "the words of forecast 1 of rain do not match",
    ),
    "the wording": (
        lambda record: altered(question(record, "rain")["wording"], "gazette", "almanac"),
        "question_revision 1 of rain does not match",
    ),
    "the close": (
        lambda record: altered(question(record, "wind")["wording"], "2026-01-11", "2026-01-09"),
        "wind: Brier score of kate: ",
    ),
    "the order of forecasts": (
        lambda record: question(record, "rain")["forecasts"].reverse(),
        "rain: the forecasts are out of order",
    ),
    "a removed forecast": (
        lambda record: question(record, "rain")["forecasts"].pop(),
        "counts: forecasts: 4 counted, 5 stated",
    ),
    "a doubled forecast": (doubled("rain", "forecasts", 1), "forecast 6 of rain appears twice"),
    "a removed question": (
        lambda record: record["questions"].remove(question(record, "wind")),
        "counts: questions_elsewhere: 2 counted, 1 stated",
    ),
    "a removed resolution": (
        lambda record: question(record, "rain").update(resolutions=[], scores=[]),
        "rain: the resolution of entry ",
    ),
    "another question": (a_forecast_of_another_question, "fog: a row of another question"),
    "no entry": (a_forecast_without_an_entry, "forecast 5 of fog has no entry"),
    "called older": (a_forecast_that_is_called_older, "forecast 1 of rain has no entry"),
    "rows within rows": (put("question", "row", "[" * 100_000, of="rain"), FORM),
    "a removed entry": (lambda record: record["entries"].pop(8), END),
    "an entry of another time": (
        put("entries", -1, 3, "2026-01-01T00:00:00.000000Z"),
        "is earlier than the one before it",
    ),
    "a cut end": (a_cut_end, "the stamp of "),
    "a chain hashed again": (a_chain_hashed_again, "does not belong to this chain"),
    "another beginning": (put("before", "a" * 64), "the first entry follows another one"),
    "a score": (
        put("scores", 0, "brier", 0.001, of="rain"),
        "rain: Brier score of kate: 0.0367 computed from the rows, 0.0010 stated",
    ),
    "a score too many": (
        put("scores", [{"forecaster": "kate", "brier": 0.0}], of="fog"),
        "fog: Brier score of kate: none computed from the rows, 0.0000 stated",
    ),
    "a doubled score": (doubled("rain", "scores", 0), "rain: a score appears twice"),
    "the mean": (put("brier", 0.01), "mean Brier score: 0.0533 computed from the rows, 0.0100"),
    "the mean a little": (
        lambda record: record.update(brier=record["brier"] + 1e-8),
        "mean Brier score: 0.0533333333 computed from the rows, 0.0533333433 stated",
    ),
    "the counts": (put("counts", "elsewhere", 0), "counts: elsewhere: 1 counted, 0 stated"),
    "a name": (
        words(lambda record: record["members"][0], "kate", "bob"),
        "the words of member 1 do not match",
    ),
    "a stamp of another digest": (a_stamp_of_another_digest, "is for another digest"),
    "a stamp of another time": (
        restamped(lambda token: token.replace(b"20260102120000Z", b"20250102120000Z")),
        "is damaged or was altered",
    ),
    "a stamp of another ledger": (a_stamp_of_another_ledger, "does not belong to this chain"),
    "another form": (put("form", "public record of forecasts, form 1"), FORM),
    "a missing part": (lambda record: record.__delitem__("entries"), FORM),
    "a wrong type": (put("questions", {"rain": 1}), FORM),
    "a share": (edit("wind", "forecasts", 0, "0.5]", "0.6]"), "forecast 4 of wind does not match"),
    "a withdrawal": (
        edit("fog", "forecasts", 0, ":false", ":true"),
        "forecast 5 of fog does not match",
    ),
    "the outcome": (edit("rain", "resolutions", 0, "yes", "no"), "resolution 1 of rain does not"),
    "the outcome's note": (
        words(lambda record: question(record, "rain")["resolutions"][0], "So.", "No."),
        "the words of resolution 1 of rain do not match",
    ),
    "a salt": (
        lambda record: question(record, "rain")["forecasts"][0].update(salt="a" * 32),
        "the words of forecast 1 of rain do not match",
    ),
    "a title": (
        lambda record: altered(question(record, "fog")["wording"], "Will it", "Did it"),
        "question_revision 2 of fog does not match",
    ),
    "an option": (
        lambda record: altered(question(record, "wind")["wording"], '"E"', '"W"'),
        "question_revision 4 of wind does not match",
    ),
    "the opening": (
        lambda record: altered(
            question(record, "rain")["wording"], "2026-01-01T00", "2026-01-04T00"
        ),
        "rain: Brier score of kate: ",
    ),
    "a question's name": (
        lambda record: altered(question(record, "rain")["question"], "rain", "hail"),
        "question 1 does not match entry 2",
    ),
    "the time of a forecast": (
        edit("rain", "forecasts", 0, "01-02T00", "01-01T00"),
        "forecast 1 of rain does not match",
    ),
    "the time of its recording": (
        edit("rain", "forecasts", 0, 'recorded_at":"2026-01-02', 'recorded_at":"2026-01-01'),
        "forecast 1 of rain does not match",
    ),
    "a forecaster": (edit("rain", "forecasts", 0, 'member_id":1', 'member_id":2'), FORM),
    "a removed member": (put("members", []), FORM),
    "an invented team": (
        put("team", {"place": 6, "row": '{"id":1,"name":"harbour"}'}),
        "team 1 does not match entry 6",
    ),
    "the order of questions": (
        lambda record: record["questions"].reverse(),
        "the questions are out of order",
    ),
    "the order of entries": (exchanged, END),
    "an entry of another table": (put("entries", 10, 0, "comment"), END),
    "an entry of another question": (put("entries", 10, 4, 2), END),
    "an entry of another row": (put("entries", 10, 2, "a" * 64), END),
    "an inserted entry": (lambda record: record["entries"].insert(4, record["entries"][5]), END),
    "an entry with more": (lambda record: record["entries"][-1].extend([9, "a" * 64]), FORM),
    "another first place": (put("first", 2), END),
    "another ledger": (put("ledger", "a" * 64), "the first entry is not that of the stated ledger"),
    "another digest": (put("digest", f"20-{'a' * 64}"), END),
    "a removed score": (
        put("scores", [], of="rain"),
        "rain: Brier score of kate: 0.0367 computed from the rows, none stated",
    ),
    "a score of another": (
        put("scores", 0, "forecaster", "bob", of="rain"),
        "rain: Brier score of bob: none computed",
    ),
    "no mean": (put("brier", None), "mean Brier score: 0.0533 computed from the rows, none"),
    "the number of others": (put("counts", "others", 0), "counts: others: 1 counted, 0 stated"),
    "a count too many": (put("counts", "deleted", 0), FORM),
    "a part too many": (put("note", "So."), FORM),
    "a value too many": (put("question", "brier", 0.1, of="rain"), FORM),
    "a stamp that is no stamp": (restamped(lambda _: b"0"), "is damaged or was altered"),
    "a name twice in a row": (edit("rain", "forecasts", 0, '"id":1,', '"id":1,"id":1,'), FORM),
    "a cut to the last entry": (
        lambda record: cut(record, 20),
        "13 of 14 rows cannot be checked: ",
    ),
    "a cut to nothing": (a_cut_to_nothing, "14 of 14 rows cannot be checked: "),
    "a cut in the middle": (lambda record: cut(record, 14), "8 of 14 rows cannot be checked: "),
    "a cut without an alteration": (
        lambda record: cut(record, 14, altered=":0.7,"),
        "8 of 14 rows cannot be checked: ",
    ),
    "a cut with more rows than entries": (
        a_cut_with_more_rows_than_entries,
        "entry 4 has fewer before it than rows without an entry",
    ),
}


def tie(kind: str, place: int, old: str, new: str) -> Tamper:
    """Return an edit of the row of a tie."""
    return lambda record: altered(record["ties"][kind][place], old, new)


def hashed_again(slug: str, change: Tamper) -> Tamper:
    """Return an edit of a record, with the chain hashed again as if it had always been so."""

    def edit(record: Record) -> None:
        change(record)
        rows = [*question(record, slug)["resolutions"], *record["ties"]["condition"]]
        for one in rows:
            place = one["place"] - 1
            record["entries"][place][2] = hashlib.sha256(one["row"].encode()).hexdigest()
        record["digest"] = digest_of(record)

    return edit


def a_removed_condition(record: Record) -> None:
    record["ties"]["condition"].pop(1)
    record["counts"]["ties"] += 1


LEFT_OUT = "counts: ties: 2 counted, 1 stated"  # the other link is to a question that is hidden
TIED: dict[str, tuple[Tamper, str]] = {
    "a changed condition": (tie("condition", 1, '"no"', '"yes"'), "condition 2 does not match"),
    "a changed condition, hashed again": (
        hashed_again(NO, tie("condition", 1, '"no"', '"yes"')),
        f"{NO} is annulled, but no condition:rain says so",
    ),
    "a changed range, hashed again": (
        hashed_again(NO, tie("condition", 3, "10..", "11..")),
        f"{HIGH} is not annulled: much is 10, and it was asked for 11..",
    ),
    "another parent": (tie("condition", 1, '"parent_id":1', '"parent_id":2'), f"{NO} is annulled"),
    "a changed annulment": (
        edit(NO, "resolutions", 0, '"annulled"', '"yes"'),
        f"{NO} is not annulled: rain is yes, and it was asked for no",
    ),
    "a changed annulment's row": (
        edit(NO, "resolutions", 0, '"annulled"', '"yes"'),
        f"resolution 2 of {NO} does not match",
    ),
    "a removed annulment": (
        put("resolutions", [], of=NO),
        f"{NO}: the resolution of entry ",
    ),
    "an outcome instead, hashed again": (
        hashed_again(NO, edit(NO, "resolutions", 0, '"annulled"', '"no"')),
        f"{NO} is not annulled: rain is yes, and it was asked for no",
    ),
    "a removed condition": (lambda record: record["ties"]["condition"].pop(1), LEFT_OUT),
    "a removed condition, counted": (
        a_removed_condition,
        f"{NO} is annulled, but no condition:rain says so",
    ),
    "a removed link": (lambda record: record["ties"]["question_link"].pop(), LEFT_OUT),
    "a changed link": (tie("question_link", 0, "causes", "implies"), "question_link 1 does not"),
}


def as_json(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def of_record(tamper: Tamper) -> Folder:
    """Return the act on a folder that tampers with its record."""

    def act(folder: Path) -> None:
        record = json.loads((folder / FILE).read_text("utf-8"))
        tamper(record)
        (folder / FILE).write_text(as_json(record), "utf-8")

    return act


def of_text(old: str, new: str, file: str = FILE) -> Folder:
    """Return the act that replaces a text in a file once."""

    def act(folder: Path) -> None:
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8", newline="\n")

    return act


def written(name: str, data: bytes = b"<p>More.</p>") -> Folder:
    """Return the act that writes a file, in a folder of its own if there is none."""

    def act(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return act


def removed(name: str) -> Folder:
    return lambda folder: (folder / name).unlink()


def huge(name: str) -> Folder:
    return lambda folder: os.truncate(folder / name, 1 << 40)


def piped(name: str) -> Folder:
    """Return the act that puts a pipe in a file's place, which nobody writes to."""

    def act(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return act


def linked(name: str) -> Folder:
    """Return the act that moves a file or a folder out of the record, and links to it."""

    def act(folder: Path) -> None:
        aside = folder.with_name("aside")
        shutil.move(folder / name, aside)
        (folder / name).symlink_to(aside)

    return act


def a_page_that_is_a_folder(folder: Path) -> None:
    (folder / "card.svg").unlink()
    (folder / "card.svg").mkdir()


def two_pages_exchanged(folder: Path) -> None:
    (folder / "cards/rain.svg").rename(folder / "aside")
    (folder / "cards/fog.svg").rename(folder / "cards/rain.svg")
    (folder / "aside").rename(folder / "cards/fog.svg")


def relisted(name: str, text: str = "") -> Folder:
    """Return the act that replaces a file and its hash in the list; without a text, that is cut."""

    def act(folder: Path) -> None:
        record = json.loads((folder / FILE).read_text("utf-8"))
        if text:
            record["files"][name] = hashlib.sha256(text.encode()).hexdigest()
        else:
            del record["files"][name]
        (folder / FILE).write_text(as_json(record), "utf-8")
        (folder / name).write_text(text or "<p>More.</p>", "utf-8")

    return act


ALTERED = "does not match its hash in record.json"
FOREIGN = "not part of this record: "
UNREADABLE = "cannot be read: "
# Each act on the folder, and the words that name it.
FOLDERS: dict[str, tuple[Folder, str]] = {
    **{
        f"a character of {name}": (of_text("</", "~</", name), f"{name} {ALTERED}")
        for name in (
            "index.html",
            "feed.xml",
            "questions/rain.html",
            "cards/rain.svg",
            "verify.html",
        )
    },
    "the program": (
        of_text("import json", "import json  # and more", "verify.py"),
        "verify.py does",
    ),
    "no page": (removed("questions.html"), "questions.html is missing"),
    "no question": (removed("questions/fog.html"), "questions/fog.html is missing"),
    "no card": (removed("cards/fog.svg"), "cards/fog.svg is missing"),
    "two cards exchanged": (two_pages_exchanged, f"cards/rain.svg {ALTERED}"),
    "an invented question": (
        written("questions/snow.html"),
        "questions/snow.html is not a file of",
    ),
    "a question below": (written("questions/a/b.html"), "questions/a/b.html is not a file of"),
    **{
        f"an added {name}": (written(name), f"{FOREIGN}{name}.")
        for name in ("index.htm", "a.HTML", "a/b/c.html", ".well-known/a", "Index.html", "json.py")
    },
    "a page with another hash": (
        of_record(lambda record: record["files"].update({"index.html": "a" * 64})),
        f"index.html {ALTERED}",
    ),
    "a page that is not listed": (relisted("index.html"), f"{FOREIGN}index.html."),
    "a question that is not listed": (
        relisted("questions/fog.html"),
        "questions/fog.html is not a",
    ),
    "no list": (of_record(put("files", {})), "record.json lists no files, but the folder has some"),
    "a list that leads elsewhere": (
        of_record(lambda record: record["files"].update({"../aside": "a" * 64})),
        "../aside is missing",
    ),
    "a byte that is no text": (written("how-to-read.html", b"\xff"), f"how-to-read.html {ALTERED}"),
    "a link to a page": (linked("index.html"), f"index.html {UNREADABLE}it is not a plain file"),
    "a link to a folder": (linked("cards"), "cards is not a file"),
    "a pipe for a page": (piped("index.html"), f"index.html {UNREADABLE}it is not a plain file"),
    "a folder for a page": (a_page_that_is_a_folder, "card.svg is missing"),
    "a huge page": (huge("index.html"), f"index.html {UNREADABLE}it has 1099511627776 bytes"),
    "a link to the record": (linked(FILE), "it is not a plain file"),
    "a pipe for the record": (piped(FILE), "it is not a plain file"),
    "a huge record": (huge(FILE), "it has 1099511627776 bytes"),
    "no record": (removed(FILE), "No such file"),
    "a mean that is said twice": (
        of_text('"team"', '"brier": 0.01,\n"team"'),
        "'brier' appears twice",
    ),
    "a place that is said twice": (
        of_text('"place":', '"place":1,"place":'),
        "'place' appears twice",
    ),
    **{
        f"a mean of {number[:9]}": (of_text('"brier": ', f'"brier": {number},\n"b": '), number[:9])
        for number in ("NaN", "-Infinity", "1e999", "1" * 5_000, "0." + "1" * 5_000)
    },
    "lists within lists": (written(FILE, b"[" * 500_000), "recursion"),
    "objects within objects": (written(FILE, b'{"a":' * 500_000), "recursion"),
    "half a record": (lambda folder: os.truncate(folder / FILE, 900), "(char "),
    "bytes that are no text": (written(FILE, b'{"form": "\xff"}'), "'utf-8' codec can't decode"),
    "a mark before the text": (of_text("{", "\ufeff{"), "Expecting value: line 1"),
    "no object": (written(FILE, b"[]"), FORM),
}
# What only a digest or the hash of record.json from elsewhere shows.
APART: dict[str, tuple[Folder, str]] = {
    "a chain hashed again, without stamps": (of_record(hashed_again_without_stamps), "digest"),
    "a cut end, without stamps": (of_record(a_cut_end_without_stamps), "digest"),
    "a hidden reason": (of_record(a_hidden_reason), "hash"),
    "no stamps": (of_record(put("stamps", {})), "hash"),
    "a page and its hash": (relisted("index.html", "<p>So.</p>"), "hash"),
    "the program and its hash": (relisted("verify.py", "print('So.')"), "hash"),
}


def outcome(folder: Path, *known: str) -> tuple[int, str]:
    """Return the status and all that is said."""
    try:
        check = checked(folder, *known)
    except (OSError, ValueError, RecursionError) as error:  # which the program prints
        return 1, str(error)
    return check.status, "\n".join([*check.faults, *check.said, check.verdict])


def anchors(whole: Path) -> dict[str, str]:
    data = (whole / FILE).read_bytes()
    return {"digest": json.loads(data)["digest"], "hash": hashlib.sha256(data).hexdigest()}


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "record"))


NAMED = FOLDERS | {name: (of_record(tamper), said) for name, (tamper, said) in RECORDS.items()}


def test_there_are_over_eighty_ways_and_an_untouched_folder_has_no_fault(whole: Path) -> None:
    assert len(NAMED) + len(APART) > 80
    status, said = outcome(whole)
    assert (status, said.endswith(f"This record agrees with its chain of hashes. {ONLY}")) == (
        0,
        True,
    )
    for known in anchors(whole).values():
        status, said = outcome(whole, known)
        assert (status, said.endswith("\nThis record is as it was recorded.")) == (0, True)


@pytest.mark.parametrize(("tamper", "named"), NAMED.values(), ids=list(NAMED))
def test_each_way_is_named(whole: Path, folder: Path, tamper: Folder, named: str) -> None:
    tamper(folder)
    for known in ((), [anchors(whole)["digest"]]):
        status, said = outcome(folder, *known)
        assert status == (3 if "cannot be checked" in said else 1)
        assert named in said


def test_ties_without_a_fault_count_those_that_are_hidden(tied: str) -> None:
    check = Check(json.loads(tied))
    assert check.faults == []
    assert "Not published: 1 tie of these questions (groups, conditions, links)." in check.said


@pytest.mark.parametrize(("tamper", "named"), TIED.values(), ids=list(TIED))
def test_an_annulment_follows_from_its_condition_and_no_tie_is_left_out(
    tied: str, tamper: Tamper, named: str
) -> None:
    record = json.loads(tied)
    tamper(record)
    assert any(fault.startswith(named) for fault in Check(record).faults)


BINARY = Outline(QuestionType.binary, None, None, None, None)
CHOICE = Outline(QuestionType.multiple_choice, ["N", "E"], None, None, None)
NUMBER = Outline(QuestionType.numeric, None, "0", "30", None)
DATE = Outline(QuestionType.date, None, "2026-01-01", "2026-12-31", None)


@pytest.mark.parametrize(
    ("parent", "conditions", "outcomes"),
    [
        (BINARY, ["yes", "no"], ["yes", "no", "0.5", "1", "annulled", "ambiguous"]),
        (CHOICE, ["N", "E"], ["N", "E", "annulled"]),
        (
            NUMBER,
            ["..10", "10..20", "20.."],
            ["0", "9.5", "10", "1e1", "20.0", "below_lower_bound", "above_upper_bound"],
        ),
        (
            DATE,
            ["..2026-02-01", "2026-02-01..2026-03-01T12:00:00Z", "2026-02-01T00:00:00+01:00.."],
            ["2026-01-31T23:30:00Z", "2026-02-01", "2026-03-01T12:00:00Z", "above_upper_bound"],
        ),
    ],
)
def test_conditions_hold_as_in_the_ledger(
    parent: Outline, conditions: list[str], outcomes: list[str]
) -> None:
    for condition, outcome in product(conditions, outcomes):
        expected = holds(condition, parent, outcome)
        assert held(condition, outcome, parent.type) == expected, (condition, outcome)
    assert held("..soon", "2026-02-01", "date") is None


@pytest.mark.parametrize(("tamper", "anchor"), APART.values(), ids=list(APART))
def test_the_rest_is_named_with_a_digest_or_hash_from_elsewhere(
    whole: Path, folder: Path, tamper: Folder, anchor: str
) -> None:
    tamper(folder)
    status, said = outcome(folder)
    assert (status, said.endswith(ONLY)) == (0, True)
    known = anchors(whole)[anchor]
    status, said = outcome(folder, known)
    assert status == 1
    other = f"the digest {known[:20]}… does not belong to this chain"
    assert {"digest": other, "hash": f"record.json does not have the hash {known[:20]}…"}[
        anchor
    ] in said


def test_verify_with_proofs_agrees_with_the_check(
    whole: Path, filled: Filled, tmp_path: Path
) -> None:
    engine = database.open_engine(sqlite_url(filled.file))
    with database.reading(engine) as session:
        kept = receipts(session, [1])
    engine.dispose()
    for name, (tamper, named) in RECORDS.items():
        record = json.loads((whole / FILE).read_text("utf-8"))
        tamper(record)
        (tmp_path / FILE).write_text(as_json(record), "utf-8")
        [found] = compare(tmp_path, kept)
        if faults := Check(record).faults:
            said = f"{FILE} does not pass its check: {faults[0]}."
            assert (found.finding, found.said) == ("altered_folder", said), name
        else:
            assert "cannot be checked" in named, name
            assert (found.finding, "is not in this record" in found.said) == ("missing", True), name
    for text in ('{"form": 1, "form": 2}', '{"form": NaN}', "[" * 500_000):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(BadInput, match="cannot be read: "):
            compare(tmp_path, kept)


HOSTILE = (
    "__future__ base64 bisect codecs collections datetime encodings enum hashlib io json math os"
)
HOSTILE += (
    " pathlib posixpath re runpy site sitecustomize stat traceback typing usercustomize warnings"
)
HOSTILE += " _strptime _json _hashlib linecache fnmatch ntpath zipimport abc functools operator"


def test_no_code_of_the_folder_is_run(folder: Path, tmp_path: Path) -> None:
    """Neither in it nor beside it, also where ``-I`` was forgotten, and with a fault to print."""
    mark = tmp_path / "run"
    code = f"open({str(mark)!r}, 'a').write(__name__)\n"
    for name in HOSTILE.split():
        (folder / f"{name}.py").write_text(code)
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(code)
    (folder / "evil.pth").write_text(f"import os; {code}")
    (folder / "pyvenv.cfg").write_text("home = .\n")
    (tmp_path / "verify.py").write_text(program(), "utf-8")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, *command)
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    inside = run("verify.py")
    isolated = run("-I", str(tmp_path / "verify.py"), ".")
    for done in (inside, isolated):
        assert done.returncode == 3
        assert (
            "Pages: not part of this record: __future__.py, __future__/__init__.py, " in done.stdout
        )
        assert "files in the folder cannot be checked." in done.stderr
        assert "Traceback" not in done.stderr
    (folder / FILE).unlink()
    broken = run("verify.py")
    assert broken.returncode == 1
    assert "record.json cannot be read: [Errno 2] No such file or directory: " in broken.stderr
    assert "Traceback" not in broken.stderr
    assert not mark.exists()
