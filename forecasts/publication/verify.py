"""Check the folder of a public record of forecasts: ``python3 -I verify.py FOLDER``.

It needs Python 3.9 or newer, makes no requests, and runs nothing of the folder. Without FOLDER it
checks the folder that it is in. Take it from a release if you do not trust the one in the folder.

    python3 -I verify.py FOLDER 1842-9f2c…      also compare with a digest that you have
    python3 -I verify.py FOLDER 5b41…           also compare with the hash of record.json
    python3 -I verify.py FOLDER --receipt FILE  also prove the forecasts of these receipts
    python3 -I verify.py FOLDER --stamps        also write the stamps here, for openssl to check

Exit code 0: all agrees; 1: each fault is named; 3: no fault, but some rows or files, which are
counted, or a digest cannot be checked.
"""

import sys  # built in: no file can take its place. Even ``__future__`` would be a file to import.

if __name__ == "__main__":  # Only what follows the standard library's ZIP, also without ``-I``:
    _zip = "python{}{}.zip".format(*sys.version_info)  # not this folder, nor the current one.
    _own = [place for place, one in enumerate(sys.path) if one.endswith(_zip)]
    sys.path[:] = sys.path[_own[-1] if _own else 1 - sys.flags.isolated :]

import hashlib
import json
import os
import re
import stat
from base64 import b64decode
from bisect import bisect_left
from collections import Counter, namedtuple
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from math import inf, isfinite
from pathlib import Path
from typing import Any

FORM = "public record of forecasts, form 4"
FILE, PROGRAM = "record.json", "verify.py"
NOTHING = "0" * 64  # the hash before the first entry
HOUR = 3_600_000_000  # microseconds: clocks differ, and a stamp takes its time
MOST = 1 << 28  # bytes of a file; two million entries are about as many
SHA2 = {"0201": "sha256", "0202": "sha384", "0203": "sha512"}  # by the end of its name in DER
MESSAGE_DIGEST = "2a864886f70d010904"
WHOLE = "No outcome and no later wording of the published questions was left out."
ONLY = "Only a digest from elsewhere, or the signature of a stamp, shows when its chain was made."
NO_FORM = f"record.json does not have the form of this release: {FORM}"
NO_STAMPS = "Times: no stamps. The ledger's owner gets them with: forecasts digest --stamp"
# The members of the record and of its parts, and those that only some have.
RECORD = (
    "form digest ledger team brier files counts members questions ties stamps first before entries"
)
TIES = "question_group group_place condition question_link"
QUESTION, SCORE = "question wording resolutions forecasts scores", "forecaster brier"
ROW, WORDS = "place row", "salt said"

# The table, id and hash of a row, the time of its entry, its question, and the entry's hash.
Entry = namedtuple("Entry", "kind row_id row at question hash")


class Check:
    """The check of a record: its ``faults``, and its findings in sentences (``said``)."""

    def __init__(self, record: Any, *digests: str) -> None:
        self.faults: list[str] = []
        self.said: list[str] = []
        self.first, self.last, self.known = 1, 0, 0  # entries: first, last, newest known digest
        self.ledger = ""
        self.entries: dict[int, Entry] = {}
        self.places: dict[str, int] = {}  # of the entries, by their digests
        self.entered: set[tuple[str, int]] = set()  # the rows with an entry, by table and id
        self.rows: set[tuple[str, int]] = set()  # the published rows
        self.opened: set[int] = set()  # their places
        self.older: Counter[str] = Counter()  # published rows without an entry, by table
        self.forecasts: list[tuple[Any, Any, str]] = []  # place, row and name
        self.scores: list[float] = []
        self.stated: list[float] = []  # the scores of rows without an entry, as stated
        self.files: dict[str, str] = {}  # the hashes of the folder's files
        self.tokens: dict[str, bytes] = {}  # the stamps by their digests
        self.foreign: list[str] = []  # the folder's other files
        self.uncompared: list[str] = []  # the digests from before the first entry
        self.handles: dict[Any, str] = {}  # of the forecasters, by id
        self.asked: dict[int, Any] = {}  # questions by id: slug, type, outcome, its source
        try:
            self.all(record, digests)
        except (AttributeError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            self.faults.append(NO_FORM)

    def all(self, record: Any, digests: tuple[str, ...]) -> None:
        """Check the chain, then the rows, scores, counts and times."""
        if record["form"] != FORM:
            raise ValueError
        self.files = {**only(record, RECORD)["files"]}
        self.chain(record, digests)
        for one in record["members"]:
            self.handles[self.row(one, "member")["id"]] = strict(one["said"])["handle"]
        who, team = ", ".join(self.handles.values()), record["team"]
        title = who if team is None else f"{self.row(team, 'team')['name']} ({who})"
        wordings = dict(self.question(one) for one in record["questions"])
        self.ordered("the questions", list(wordings))
        self.ties(record["ties"], wordings)
        if 1 < self.first <= self.unproved:
            self.faults.append(f"entry {self.first} has fewer before it than rows without an entry")
        forecasts = many(len(self.forecasts), "forecast")
        self.said.insert(0, f"{title}: {forecasts} on {many(len(wordings), 'question')}.")
        self.counts(record["counts"], wordings)
        self.times(self.stamps(record["stamps"]))
        if differ := differing(mean([*self.scores, *self.stated]), record["brier"]):
            self.faults.append(f"mean Brier score: {differ}")
        scores = many(len(self.scores), "Brier score")
        unproved = f"; {len(self.stated)} cannot be" if self.stated else ""
        self.said.append(f"Scores: {scores} recomputed, mean {shown(mean(self.scores))}{unproved}.")
        if older := ", ".join(many(number, kind) for kind, number in sorted(self.older.items())):
            self.said.append(f"Not proved, since older than this part of the chain: {older}.")

    @property
    def unproved(self) -> int:
        """The number of published rows without an entry."""
        return sum(self.older.values())

    @property
    def status(self) -> int:
        """The exit code: 1 for a fault, 3 for something that cannot be checked, otherwise 0."""
        return 1 if self.faults else 3 if self.older or self.foreign or self.uncompared else 0

    @property
    def verdict(self) -> str:
        """The last sentence, which is the headline."""
        if self.faults:
            return "This record does NOT pass the check:"
        parts = []
        if self.older:
            rows = f"{self.unproved} of {many(len(self.rows), 'row')}"
            parts.append(f"{rows} cannot be checked: anyone could have altered them.")
        if self.foreign:
            parts.append(f"{many(len(self.foreign), 'file')} in the folder cannot be checked.")
        if self.uncompared:
            parts.append(f"{many(len(self.uncompared), 'digest')} could not be compared.")
        record = "The rest of this record" if parts else "This record"
        upto = f" up to entry {self.known}" if self.known < self.last else ""
        known = f"is as it was recorded{upto}."
        parts.append(
            f"{record} {known if self.known else 'agrees with its chain of hashes. ' + ONLY}"
        )
        return " ".join(parts)

    def chain(self, record: Any, digests: tuple[str, ...]) -> None:
        """Hash every entry, each with the hash of the one before."""
        place, before, time = record["first"] - 1, record["before"], ""
        self.first, self.ledger = record["first"], record["ledger"]
        ends: dict[int, Any] = {}
        if place == 0 and before != NOTHING:
            self.faults.append("the first entry follows another one")
        for kind, row_id, row, at, question, *start in record["entries"]:
            place += 1
            link = {"before": before, "kind": kind, "place": place, "row": row, "row_id": row_id}
            if at is not None:
                link["at"] = at
                if at < time:
                    self.faults.append(f"entry {place} is earlier than the one before it")
                time = at
            if start and (question is None or question in ends):
                raise ValueError
            if question is not None:
                number, previous = ends.get(question) or start or (0, NOTHING)
                link.update(number=number + 1, previous=previous, question=question)
            before = sha256(json.dumps(link, sort_keys=True, separators=(",", ":")))
            if question is not None:
                ends[question] = link["number"], before
            self.entries[place] = Entry(kind, row_id, row, at, question, before)
            self.entered.add((kind, row_id))
            self.places[f"{place}-{before}"] = place
        self.last, digest = place, f"{place}-{before}"
        if record["digest"] != digest:
            self.faults.append("the chain does not end in the stated digest: one was altered")
        if place and self.first == 1 and self.entries[1].hash != self.ledger:
            self.faults.append("the first entry is not that of the stated ledger")
        part = f"entries {self.first} to {place} of ledger {self.ledger[:12]}…"
        self.said.append(f"Chain: {part}, each with the hash of the one before. Digest: {digest}")
        if self.first > 1:
            self.said.append("Chain: only a receipt shows that this part is of that ledger.")
        for known in digests:
            number, name = known.partition("-")[0], f"the digest {known[:20]}…"
            if known in self.places:
                self.known = max(self.known, self.places[known])
            elif number.isdecimal() and int(number[:18]) < self.first:
                self.said.append(f"Chain: {name} is of an earlier entry, so it was not compared.")
                self.uncompared.append(known)
            else:
                self.faults.append(f"{name} does not belong to this chain")

    def row(self, one: Any, kind: str, of: str = "") -> Any:
        """Return a published row, after comparing it with its entry; ``of``: its question."""
        row, place = strict(only(one, ROW, WORDS)["row"]), one["place"]
        known, name = (kind, row["id"]), f"{kind} {row['id']}{of}"
        if known in self.rows:
            self.faults.append(f"{name} appears twice")
        self.rows.add(known)
        if place is None:
            self.older[kind] += 1
            if self.first == 1 or known in self.entered:
                self.faults.append(f"{name} has no entry")
            return row
        if self.entries.get(place, ())[:3] != (kind, row["id"], sha256(one["row"])):
            self.faults.append(f"{name} does not match entry {place}")
        if "said" in one and sha256(one["salt"] + one["said"]) != row.get("words"):
            self.faults.append(f"the words of {name} do not match entry {place}")
        self.opened.add(place)
        return row

    def ordered(self, what: str, keys: list[Any]) -> None:
        """Add a fault if these are not in the order of their keys."""
        if keys != sorted(keys):
            self.faults.append(f"{what} are out of order")

    def question(self, one: Any) -> tuple[int, tuple[str, int]]:
        """Return a question's id, its slug and the place of its wording; keep its forecasts."""
        question = self.row(only(one, QUESTION)["question"], "question")
        slug, of, made = question["slug"], f" of {question['slug']}", []
        wording = self.row(one["wording"], "question_revision", of)
        resolutions = [self.row(each, "resolution", of) for each in one["resolutions"]]
        deciding = [one["wording"], *one["resolutions"]]
        undecided = any(each["place"] is None for each in deciding)
        paths: dict[str, list[Any]] = {}
        unproved = set()  # the forecasters with a forecast without an entry
        for each in one["forecasts"]:
            row = self.row(each, "forecast", of)
            member = self.handles[row["member_id"]]
            name = f"{slug}, forecast of {member} at {row['made_at']}"
            self.forecasts.append((each["place"], row, name))
            paths.setdefault(member, []).append(row)
            made.append((row["member_id"], row["made_at"], row["id"]))
            unproved |= {member} if each["place"] is None else set()
        self.ordered(f"{slug}: the forecasts", made)
        self.ordered(f"{slug}: the resolutions", [row["id"] for row in resolutions])
        rows = [wording, *resolutions, *(row for path in paths.values() for row in path)]
        if any(row["question_id"] != question["id"] for row in rows):
            self.faults.append(f"{slug}: a row of another question")
        decided = [row for row in resolutions if row["state"] in ("confirmed", "withdrawn")]
        newest = max(decided, key=lambda row: row["id"], default=None)
        outcome = newest["outcome"] if newest and newest["state"] == "confirmed" else None
        source = newest.get("source", "") if newest and outcome else ""
        self.asked[question["id"]] = (slug, wording["type"], outcome, source)
        given = {only(score, SCORE)["forecaster"]: score["brier"] for score in one["scores"]}
        if len(given) != len(one["scores"]):
            self.faults.append(f"{slug}: a score appears twice")
        for member in sorted({*paths, *given}):
            if undecided or member in unproved:
                self.stated += [given[member]] if member in given else []
                continue
            score = brier(wording, outcome, paths.get(member, []))
            self.scores += [] if score is None else [score]
            if differ := differing(score, given.get(member)):
                self.faults.append(f"{slug}: Brier score of {member}: {differ}")
        return question["id"], (slug, one["wording"]["place"] or 0)

    def ties(self, given: Any, wordings: dict[int, tuple[str, int]]) -> None:
        """Compare the groups, conditions and links between the published questions.

        A question is annulled because of a condition if, and only if, this does not hold.
        """
        follows = set()  # the questions that a condition annuls
        for kind in only(given, TIES):
            for one in given[kind]:
                row = self.row(one, kind)
                ends = {row.get(name) for name in ("question_id", "parent_id", "other_id")}
                if not ends - {None} <= wordings.keys():
                    self.faults.append(f"{kind} {row['id']}: a row of another question")
                elif kind == "condition":
                    slug, _, outcome, _ = self.asked[row["question_id"]]
                    parent, type_, told, _ = self.asked[row["parent_id"]]
                    is_held = True if told is None else held(row["outcome"], told, type_)
                    if is_held is not True:
                        follows.add((slug, f"condition:{parent}"))
                    if is_held is False and outcome != "annulled":
                        if_ = f"{parent} is {told}, and it was asked for {row['outcome']}"
                        self.faults.append(f"{slug} is not annulled: {if_}")
        sources = {f"condition:{slug}" for slug, *_ in self.asked.values()}
        for slug, _, outcome, source in self.asked.values():
            if outcome == "annulled" and source in sources and (slug, source) not in follows:
                self.faults.append(f"{slug} is annulled, but no {source} says so")

    def counts(self, given: Any, wordings: dict[int, tuple[str, int]]) -> None:
        """Count the entries that are not published; name those that should be."""
        others, ties, elsewhere = 0, 0, []
        for place, entry in self.entries.items():
            if place in self.opened:
                continue
            slug, worded = wordings.get(entry.question, ("", 0)) if entry.question else ("", 0)
            later = ["question_revision"] if place > worded else []
            if entry.kind == "forecast":
                others += bool(slug)
                elsewhere += [] if slug else [entry.question]
            elif slug and entry.kind in TIES.split():
                ties += 1
            elif slug and entry.kind in ("resolution", *later):
                self.faults.append(f"{slug}: the {entry.kind} of entry {place} was left out")
        names = "forecasts", "others", "elsewhere", "questions_elsewhere", "ties"
        found = len(self.forecasts), others, len(elsewhere), len(set(elsewhere)), ties
        only(given, " ".join(names))
        for name, number in zip(names, found):  # noqa: B905 Python 3.9
            if given[name] != number:
                self.faults.append(f"counts: {name}: {number} counted, {given[name]} stated")
        part = "" if self.first == 1 else f" from entry {self.first} on"
        whole = "" if self.faults else f" {WHOLE}"
        here, there = many(others, "other forecast"), many(len(elsewhere), "forecast")
        self.said.append(
            f"Not published{part}: {here} on these questions, and {there} on "
            f"{many(found[3], 'other question')}; their authors are hidden.{whole}"
        )
        if ties:
            named = f"{many(ties, 'tie')} of these questions (groups, conditions, links)"
            self.said.append(f"Not published{part}: {named}.")

    def stamps(self, given: Any) -> list[tuple[int, int]]:
        """Return the place and time (microseconds) of each stamp."""
        found = []
        for digest, token in given.items():
            fault = "" if digest in self.places else "does not belong to this chain"
            try:
                self.tokens[digest] = b64decode(token, validate=True)
                imprint, time = stamped(self.tokens[digest])
                if not fault and imprint != hashlib.sha256(digest.encode()).digest():
                    fault = "is for another digest"
            except (LookupError, ValueError):
                fault = fault or "is damaged or was altered"
            if fault:
                self.faults.append(f"the stamp of {digest[:20]}… {fault}")
            else:
                found.append((self.places[digest], time))
        return sorted(found)

    def times(self, stamps: list[tuple[int, int]]) -> None:
        """Compare the time of each forecast with the stamps around its entry."""
        found: Counter[str] = Counter()
        delays = []  # from a forecast's entry to its stamp
        proved = [one for one in self.forecasts if one[0] in self.entries]
        for place, row, name in proved:
            at = self.entries[place].at or row["recorded_at"]
            if row["made_at"] > at:
                self.faults.append(f"{name}: made after it was recorded, at {at}")
            if row["made_at"] < at:
                by = row.get("vouched_by_id")
                names = {row["member_id"]: "the forecaster", None: "an unknown member"}
                who = names.get(by) or self.handles.get(by, "another member")
                found[f"imported by {who}, who alone vouches for the earlier time"] += 1
            which = bisect_left(stamps, (place, 0))
            before, after = stamps[:which][-1:], stamps[which : which + 1]
            if before and micros(at) < before[0][1] - HOUR:
                self.faults.append(f"{name}: recorded after a later stamp, so backdated")
            if after and micros(at) > after[0][1] + HOUR:
                self.faults.append(f"{name}: stamped before it was recorded, at {at}")
            delays += [stamp[1] - micros(at) for stamp in after]
            if not after:
                found["without a later stamp: only the ledger vouches for the time"] += 1
        if delays:
            those = f"{len(delays)} of {many(len(proved), 'forecast')} stamped"
            hours = f"{max(0, *delays) / HOUR:.1f} hours after being recorded"
            self.said.append(f"Times: {those}, at most {hours}, if the signatures are right.")
        if proved and not stamps:
            self.said.append(NO_STAMPS)
        for what, number in sorted(found.items(), reverse=True):
            self.said.append(f"Times: {many(number, 'forecast')} {what}.")

    def receipt(self, one: Any) -> tuple[str, str]:
        """Return the finding on a receipt of a forecast, in a word and in a sentence."""
        place, name = one["place"], f"The receipt of entry {one['place']}"
        link = {key: value for key, value in one.items() if value is not None}
        ledger, hash_ = link.pop("ledger", ""), link.pop("hash", "")
        entry = self.entries.get(place)
        there, other = entry and entry.hash == hash_, ledger != self.ledger
        if sha256(json.dumps(link, sort_keys=True, separators=(",", ":"))) != hash_:
            return "altered_receipt", f"{name} was altered: its contents do not fit its hash."
        if there and other:
            both = "and the record name different ledgers: one of them was altered."
            return "altered_receipt", f"{name} {both}"
        if other or (entry and not there):
            return "other_ledger", f"{name} is of another ledger, or the ledger was rewritten."
        if not entry:
            part = f"entries {self.first} to {self.last}"
            return "missing", f"{name} is not in this record, which has {part}."
        made = [said for at, _, said in self.forecasts if at == place]
        what = made[0] if made else f"forecast {one['row_id']}, which is not published"
        return "proved", f"Proved: {what}: entry {place}, unchanged since."

    def pages(self, folder: Path, data: bytes, *known: str) -> None:
        """Compare the folder's files with the list of their hashes in record.json.

        ``data``: the contents of record.json, which are compared with their ``known`` hashes.
        """
        own = sha256(data)
        for one in known:
            self.known = max(self.known, self.last)
            self.faults += [] if one == own else [f"record.json does not have the hash {one[:20]}…"]
        parts = {name.partition("/")[0] for name in self.files if "/" in name}
        program = Path(__file__).read_bytes()
        listed = {f"{one}.tsr": sha256(token) for one, token in self.tokens.items()}
        listed.update(self.files)
        there = [name for name in files_in(folder) if name != FILE]
        for name in there:
            if name not in listed:
                if name.partition("/")[0] in parts:
                    self.faults.append(f"{name} is not a file of this record")
                elif name != PROGRAM:
                    self.foreign.append(name)
                continue
            try:
                found = content(folder / name)
            except (OSError, ValueError) as error:
                self.faults.append(f"{name} cannot be read: {error}")
                continue
            is_this = name == PROGRAM and found == program
            if sha256(found) != listed[name] and not is_this:
                self.faults.append(f"{name} does not match its hash in record.json")
        if found_some := self.files.keys() & {*there} - {PROGRAM}:
            missing = sorted(self.files.keys() - {*there})
            self.faults += [f"{name} is missing" for name in missing]
        compared = f"{many(len(self.files), 'file')} compared with their hashes"
        pages = compared if found_some else "none found in this folder"
        self.said.append(f"Pages: {pages}. Hash of record.json: {own}")
        if self.foreign and not self.files:
            self.faults.append("record.json lists no files, but the folder has some")
        if self.foreign:
            self.said.append(f"Pages: not part of this record: {', '.join(self.foreign)}.")


def stamped(token: bytes) -> tuple[bytes, int]:
    """Return the hash that an RFC 3161 answer stamps, and its time; the signature is not checked.

    ValueError if the stamp was altered: its signed attributes have the hash of the rest.
    """
    signed = list(der(inside(token, 0, 1, 1, 0)))
    content = inside(signed[2][1], 1, 0)
    signer = list(der(inside(signed[-1][1], 0)))
    attributes = [[part for _, part in der(one)] for _, one in der(signer[3][1])]
    [digest] = [inside(values, 0) for name, values in attributes if name.hex() == MESSAGE_DIGEST]
    if hashlib.new(SHA2[inside(signer[2][1], 0).hex()[-4:]], content).digest() != digest:
        raise ValueError
    fields = list(der(inside(content, 0)))
    time = datetime.strptime(fields[4][1][:14].decode(), "%Y%m%d%H%M%S")  # noqa: DTZ007 in UTC
    return inside(fields[2][1], 1), micros(f"{time.isoformat()}Z")


def der(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the contents of each DER value in ``data``."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size > 127:
            size, at = int.from_bytes(data[at : at + size - 128], "big"), at + size - 128
        yield tag, data[at : at + size]
        at += size


def inside(data: bytes, *path: int) -> bytes:
    """Return the contents of the value at a path of positions."""
    for index in path:
        data = list(der(data))[index][1]
    return data


def brier(wording: Any, outcome: Any, path: list[Any]) -> Any:
    """Return the mean of (p − outcome)² over the time with a forecast; options: half the sum."""
    if outcome in (None, "annulled", "ambiguous") or wording["type"] in ("numeric", "date"):
        return None
    opens = micros(wording["open_time"])
    closes = micros(wording.get("actual_close_time") or wording["scheduled_close_time"])
    total = live = 0.0
    for row, following in zip(path, [*path[1:], None]):  # noqa: B905 Python 3.9
        until = closes if following is None else min(closes, micros(following["made_at"]))
        time = until - max(opens, micros(row["made_at"]))
        if time > 0 and not row["withdrawn"]:
            total += time * distance(row, wording.get("options"), str(outcome))
            live += time
    return total / live if live else None


def distance(row: Any, options: Any, outcome: str) -> float:
    """Return the score of one forecast; an option added later counts as part of the last one."""
    if options is None:
        happened = {"yes": 1.0, "no": 0.0}.get(outcome)
        return float((row["probability"] - (float(outcome) if happened is None else happened)) ** 2)
    *vector, last = row["probabilities"]
    vector += [None] * (len(options) - len(vector) - 1) + [last]
    hit = options.index(outcome)
    hit = len(options) - 1 if vector[hit] is None else hit
    return float(sum((p - (k == hit)) ** 2 for k, p in enumerate(vector) if p is not None)) / 2


def held(condition: str, outcome: str, type_: str) -> Any:
    """Return whether a question's outcome fulfils a condition on it; None if that cannot be told.

    A range does not include its end.
    """
    if outcome in ("annulled", "ambiguous"):
        return False
    if type_ == "multiple_choice":
        return condition == outcome
    try:
        value, least, most = figure(outcome, type_), -inf, inf
        if type_ == "binary":
            return value == figure(condition, type_)
        low, high = condition.split("..")
        least, most = figure(low, type_) if low else least, figure(high, type_) if high else most
    except ValueError:
        return None
    return least <= value < most or value == most == inf


def figure(text: str, type_: str) -> float:
    """Return an outcome, or the end of a range, as a number; ValueError for one in words."""
    known = {"yes": 1.0, "no": 0.0, "below_lower_bound": -inf, "above_upper_bound": inf}
    if text in known:
        return known[text]
    if type_ != "date":
        return float(text)
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()  # noqa: UP017 in 3.9


def sha256(data: Any) -> str:
    """Return the SHA-256 of a text or of bytes in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def micros(time: str) -> int:
    """Return a time in microseconds since 1970."""
    return (datetime.fromisoformat(time[:-1]) - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001


def shown(score: Any, digits: int = 4) -> str:
    """Return a score as text."""
    return "none" if score is None else f"{score:.{digits}f}"


def differing(score: Any, stated: Any) -> str:
    """Return a score and the stated one in words; "" if they are equal, apart from rounding."""
    if score == stated or (None not in (score, stated) and abs(score - stated) < 1e-9):
        return ""
    digits = 4 if shown(score) != shown(stated) else 10
    return f"{shown(score, digits)} computed from the rows, {shown(stated, digits)} stated"


def mean(scores: list[float]) -> Any:
    """Return the mean of scores; None without any."""
    return sum(scores) / len(scores) if scores else None


def number(digits: str) -> Any:
    """Return a number of a record's JSON; ValueError if it is too long, or not finite."""
    if len(digits) > 32 or not isfinite(float(digits)):
        raise ValueError(f"{digits[:20]} is not a number that a record can have")
    return int(digits) if digits.lstrip("-").isdecimal() else float(digits)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of a record's JSON; ValueError for a name that it has twice."""
    [(name, times)] = Counter(name for name, _ in pairs).most_common(1) or [("", 1)]
    if times > 1:
        raise ValueError(f"the name {name!r} appears twice")
    return dict(pairs)


# Some programs read the first of two equal names, and others the last.
strict = json.JSONDecoder(
    object_pairs_hook=once, parse_int=number, parse_float=number, parse_constant=number
).decode


def only(one: Any, names: str, optional: str = "") -> Any:
    """Return an object that has these members, and no others; ValueError otherwise."""
    if not {*names.split()} <= one.keys() <= {*names.split(), *optional.split()}:
        raise ValueError
    return one


def content(file: Path) -> bytes:
    """Return a file's bytes; ValueError for a link, a pipe, a device, or one that is too large."""
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a plain file")
    if found.st_size > MOST:
        raise ValueError(f"it has {found.st_size} bytes, and at most {MOST} are read")
    return file.read_bytes()


def checked(folder: Path, *known: str) -> Check:
    """Return the check of a folder, with ``known`` digests, and hashes of its record.json.

    OSError, ValueError or RecursionError if the record or the folder cannot be read.
    """
    data = content(folder / FILE)
    check = Check(strict(data.decode()), *(one for one in known if "-" in one))
    check.pages(folder, data, *(one for one in known if "-" not in one))
    return check


def files_in(folder: Path) -> list[str]:
    """Return the paths of a folder's files, and of links and unreadable folders in it."""
    found: list[str] = []
    left = [""]
    while left:
        within = left.pop()
        try:
            every = [*os.scandir(folder / within)]
        except OSError:
            found.append(within)
            continue
        for one in every:
            is_folder = one.is_dir(follow_symlinks=False)
            (left if is_folder else found).append(within + one.name + "/" * is_folder)
    return sorted(found)


def receipts(text: str) -> list[Any]:
    """Return the receipts in JSON or JSON Lines, wherever they are in it; ValueError without."""
    try:
        left = [strict(text)]
    except ValueError:
        left = [strict(line) for line in text.splitlines() if line.strip()]
    found = []
    while left:
        one = left.pop(0)
        if isinstance(one, dict) and isinstance(one.get("place"), int) and "row_id" in one:
            found.append(one)
        elif isinstance(one, (dict, list)):
            left = [*(one.values() if isinstance(one, dict) else one), *left]
    if not found:
        raise ValueError("it has no receipt")
    return found


def many(number: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def plain(lines: list[str]) -> str:
    """Return lines for a terminal: names in a record must not act on it."""
    shown_ = ("".join(c if c.isprintable() else "?" for c in line) for line in lines)
    encoding = sys.stdout.encoding or "utf-8"
    return "\n".join(shown_).encode(encoding, "replace").decode(encoding)


def main() -> None:
    """Print the findings, and exit with the status."""
    options, folder, known, given, writes = iter(sys.argv[1:]), "", [], [], False
    name = FILE
    try:
        for one in options:
            if one == "--receipt":
                name = next(options, one)
                given += receipts(Path(name).read_text("utf-8"))
            elif one == "--stamps":
                writes = True
            elif re.fullmatch("([0-9]{1,18}-)?[0-9a-f]{64}", one):
                known.append(one)
            elif one.startswith("-") or folder:
                sys.exit(__doc__)
            else:
                folder = one
        root = Path(folder) if folder else Path(__file__).parent
        name = str(root / FILE)
        check = checked(root, *known)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        sys.exit(plain([f"{name} cannot be read: {error}"]))
    print(plain(check.said))
    if check.faults:
        sys.exit(plain([check.verdict, *check.faults]))
    findings = [check.receipt(one) for one in given]
    for finding, said in findings:
        print(plain([said]), file=sys.stdout if finding == "proved" else sys.stderr)
    if any(finding != "proved" for finding, _ in findings):
        sys.exit(1)
    for digest, token in check.tokens.items() if writes else ():
        try:
            with Path(f"{digest}.tsr").open("xb") as file:  # not through a link of the folder
                file.write(token)
        except OSError as error:
            sys.exit(f"{digest}.tsr cannot be written: {error}")
        print(f"openssl ts -verify -CAfile ROOTS.pem -digest {sha256(digest)} -in {digest}.tsr")
    if check.tokens and not writes:
        print("To check the signatures of the stamps, add --stamps.")
    print(check.verdict, file=sys.stderr if check.status else sys.stdout)
    sys.exit(check.status)


if __name__ == "__main__":
    main()
