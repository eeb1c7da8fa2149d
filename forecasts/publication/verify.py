"""Check a public record of forecasts: ``python verify.py`` in its folder.

It needs Python 3.9 or newer and record.json, makes no requests, and names faults (exit code 1).

    python verify.py 1842-9f2c…      also compare with a digest that you have from elsewhere
    python verify.py --stamps        also write the stamps, whose signatures openssl can check
    python verify.py --receipt FILE  also prove the forecasts of these receipts
"""

from __future__ import annotations

import hashlib
import json
import sys
from base64 import b64decode
from bisect import bisect_left
from collections import Counter, namedtuple
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Iterator  # noqa: UP035 Python 3.9

FORM = "public record of forecasts, form 1"
NOTHING = "0" * 64  # the hash before the first entry
HOUR = 3_600_000_000  # microseconds: clocks differ, and a stamp takes its time
PAGES = {".html", ".svg", ".xml"}
SHA2 = {"0201": "sha256", "0202": "sha384", "0203": "sha512"}  # by the end of its name in DER
MESSAGE_DIGEST = "2a864886f70d010904"
COPY = '<script type="application/json" id="proof-data">'  # in verify.html, before its copy
DIFFER = "record.json and its copy in verify.html differ: one of them was altered"
WHOLE = "No outcome and no later wording of the published questions was left out."
ONLY = "Only a digest from elsewhere, or the signature of a stamp, shows when its chain was made."

# The table, id and hash of a row, the time of its entry, its question, and the entry's hash.
Entry = namedtuple("Entry", "kind row_id row at question hash")


class Check:
    """The check of a record: its ``faults``, and its findings in sentences (``said``)."""

    def __init__(self, record: Any, *digests: str) -> None:
        self.faults: list[str] = []
        self.said: list[str] = []
        self.first, self.last, self.known = 1, 0, 0  # entries: first, last, newest known digest
        self.entries: dict[int, Entry] = {}
        self.places: dict[str, int] = {}  # of the entries, by their digests
        self.entered: set[tuple[str, int]] = set()  # the rows with an entry, by table and id
        self.rows: set[tuple[str, int]] = set()  # the published rows
        self.opened: set[int] = set()  # their places
        self.older: Counter[str] = Counter()  # published rows before the first entry, by table
        self.forecasts: list[tuple[Any, Any, str]] = []  # place, row and name
        self.scores: list[float] = []
        self.files: dict[str, str] = {}  # the hashes of the pages
        self.handles: dict[Any, str] = {}  # of the forecasters, by id
        try:
            self.all(record, digests)
        except (AttributeError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            self.faults.append("record.json does not have the form of a public record")

    def all(self, record: Any, digests: tuple[str, ...]) -> None:
        """Check the chain, then the rows, scores, counts and times."""
        if record["form"] != FORM:
            raise ValueError
        self.files = {**record["files"]}
        self.chain(record, digests)
        for one in record["members"]:
            self.handles[self.row(one, "member")["id"]] = json.loads(one["said"])["handle"]
        who, team = ", ".join(self.handles.values()), record["team"]
        title = who if team is None else f"{self.row(team, 'team')['name']} ({who})"
        wordings = dict(self.question(one) for one in record["questions"])
        forecasts = many(len(self.forecasts), "forecast")
        self.said.insert(0, f"{title}: {forecasts} on {many(len(wordings), 'question')}.")
        self.counts(record["counts"], wordings)
        self.times(self.stamps(record["stamps"]))
        mean = sum(self.scores) / len(self.scores) if self.scores else None
        if differ := differing(mean, record["brier"]):
            self.faults.append(f"mean Brier score: {differ}")
        scores = many(len(self.scores), "Brier score")
        self.said.append(f"Scores: {scores} recomputed, mean {shown(mean)}.")
        if older := ", ".join(many(number, kind) for kind, number in sorted(self.older.items())):
            self.said.append(f"Not proved, since older than this part of the chain: {older}.")

    @property
    def verdict(self) -> str:
        """The last sentence about a record without a fault."""
        limit = ", except for the older rows, which are not proved" if self.older else ""
        if not self.known:
            return f"This record agrees with its chain of hashes{limit}. {ONLY}"
        upto = f" up to entry {self.known}" if self.known < self.last else ""
        return f"This record is as it was recorded{upto}{limit}."

    def chain(self, record: Any, digests: tuple[str, ...]) -> None:
        """Hash every entry, each with the hash of the one before."""
        place, before, time = record["first"] - 1, record["before"], ""
        self.first = record["first"]
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
        part = f"entries {self.first} to {place}, each with the hash of the one before"
        self.said.append(f"Chain: {part}. Digest: {digest}")
        for known in digests:
            number, name = known.partition("-")[0], f"the digest {known[:20]}…"
            if known in self.places:
                self.known = max(self.known, self.places[known])
            elif number.isdecimal() and int(number[:18]) < self.first:
                self.said.append(f"Chain: {name} is of an earlier entry, so it was not compared.")
            else:
                self.faults.append(f"{name} does not belong to this chain")

    def row(self, one: Any, kind: str, of: str = "") -> Any:
        """Return a published row, after comparing it with its entry; ``of``: its question."""
        row, place = json.loads(one["row"]), one["place"]
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

    def question(self, one: Any) -> tuple[int, tuple[str, int]]:
        """Return a question's id, its slug and the place of its wording; keep its forecasts."""
        question = self.row(one["question"], "question")
        slug, of, made = question["slug"], f" of {question['slug']}", []
        wording = self.row(one["wording"], "question_revision", of)
        resolutions = [self.row(each, "resolution", of) for each in one["resolutions"]]
        paths: dict[str, list[Any]] = {}
        for each in one["forecasts"]:
            row = self.row(each, "forecast", of)
            member = self.handles[row["member_id"]]
            name = f"{slug}, forecast of {member} at {row['made_at']}"
            self.forecasts.append((each["place"], row, name))
            paths.setdefault(member, []).append(row)
            made.append((row["member_id"], row["made_at"], row["id"]))
        if made != sorted(made):
            self.faults.append(f"{slug}: the forecasts are out of order")
        rows = [wording, *resolutions, *(row for path in paths.values() for row in path)]
        if any(row["question_id"] != question["id"] for row in rows):
            self.faults.append(f"{slug}: a row of another question")
        decided = [row for row in resolutions if row["state"] in ("confirmed", "withdrawn")]
        newest = max(decided, key=lambda row: row["id"], default=None)
        outcome = newest["outcome"] if newest and newest["state"] == "confirmed" else None
        given = {score["forecaster"]: score["brier"] for score in one["scores"]}
        if len(given) != len(one["scores"]):
            self.faults.append(f"{slug}: a score appears twice")
        for member in sorted({*paths, *given}):
            score = brier(wording, outcome, paths.get(member, []))
            self.scores += [] if score is None else [score]
            if differ := differing(score, given.get(member)):
                self.faults.append(f"{slug}: Brier score of {member}: {differ}")
        return question["id"], (slug, one["wording"]["place"] or 0)

    def counts(self, given: Any, wordings: dict[int, tuple[str, int]]) -> None:
        """Count the entries that are not published; name those that should be."""
        others, elsewhere = 0, []
        for place, entry in self.entries.items():
            if place in self.opened:
                continue
            slug, worded = wordings.get(entry.question, ("", 0)) if entry.question else ("", 0)
            later = ["question_revision"] if place > worded else []
            if entry.kind == "forecast":
                others += bool(slug)
                elsewhere += [] if slug else [entry.question]
            elif slug and entry.kind in ("resolution", *later):
                self.faults.append(f"{slug}: the {entry.kind} of entry {place} was left out")
        names = "forecasts", "others", "elsewhere", "questions_elsewhere"
        found = len(self.forecasts), others, len(elsewhere), len(set(elsewhere))
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

    def stamps(self, given: Any) -> list[tuple[int, int]]:
        """Return the place and time (microseconds) of each stamp."""
        found = []
        for digest, token in given.items():
            fault = "" if digest in self.places else "does not belong to this chain"
            try:
                imprint, time = stamped(b64decode(token))
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
        for what, number in sorted(found.items(), reverse=True):
            self.said.append(f"Times: {many(number, 'forecast')} {what}.")

    def receipt(self, one: Any) -> tuple[str, str]:
        """Return the finding on a receipt of a forecast, in a word and in a sentence."""
        place, name = one["place"], f"The receipt of entry {one['place']}"
        link = {key: value for key, value in one.items() if value is not None}
        ledger, hash_ = link.pop("ledger", ""), link.pop("hash", "")
        entry, own = self.entries.get(place), self.entries.get(1)
        there, other = entry and entry.hash == hash_, own and own.hash != ledger
        if sha256(json.dumps(link, sort_keys=True, separators=(",", ":"))) != hash_:
            return "altered_receipt", f"{name} was altered: its contents do not fit its hash."
        if there and other:
            return "altered_receipt", f"{name} was altered: it names another ledger."
        if other or (entry and not there):
            return "other_ledger", f"{name} is of another ledger, or the ledger was rewritten."
        if not entry:
            part = f"entries {self.first} to {self.last}"
            return "missing", f"{name} is not in this record, which has {part}."
        made = [said for at, _, said in self.forecasts if at == place]
        what = made[0] if made else f"forecast {one['row_id']}, which is not published"
        return "proved", f"Proved: {what}: entry {place}, unchanged since."

    def pages(self, folder: Path, record: str) -> None:
        """Compare the site's pages with their hashes, and the record with that in verify.html."""
        every = [one for place in ("*", "questions/*", "cards/*") for one in folder.glob(place)]
        there = {one.relative_to(folder).as_posix(): one for one in every if one.suffix in PAGES}
        names = {*there, *self.files} if there.keys() & self.files.keys() else ()
        for name in sorted(names):
            if name not in there:
                self.faults.append(f"{name} is missing")
            elif name in self.files:
                page = there[name].read_text("utf-8", "replace")
                if name == "verify.html":
                    copy = page.partition(COPY)[2].partition("</script>")[0]
                    page = page.replace(copy, "", 1)
                    self.faults += [] if copy == record.replace("<", "\\u003c") else [DIFFER]
                if sha256(page) != self.files[name]:
                    self.faults.append(f"{name} does not match its hash in record.json")
            elif "/" in name:
                self.faults.append(f"{name} is not a page of this record")
            else:
                self.said.append(f"Pages: {name} is not part of this record.")
        compared = f"{many(len(self.files), 'file')} compared with their hashes"
        self.said.append(f"Pages: {compared if names else 'none found in this folder'}.")


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


def brier(wording: Any, outcome: str | None, path: list[Any]) -> float | None:
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


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def micros(time: str) -> int:
    """Return a time in microseconds since 1970."""
    return (datetime.fromisoformat(time[:-1]) - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001


def shown(score: float | None, digits: int = 4) -> str:
    """Return a score as text."""
    return "none" if score is None else f"{score:.{digits}f}"


def differing(score: Any, stated: Any) -> str:
    """Return a score and the stated one in words; "" if they are equal, apart from rounding."""
    if score == stated or (None not in (score, stated) and abs(score - stated) < 1e-9):
        return ""
    digits = 4 if shown(score) != shown(stated) else 10
    return f"{shown(score, digits)} computed from the rows, {shown(stated, digits)} stated"


def receipts(text: str) -> list[Any]:
    """Return the receipts in JSON or JSON Lines, wherever they are in it; ValueError without."""
    try:
        left = [json.loads(text)]
    except ValueError:
        left = [json.loads(line) for line in text.splitlines() if line.strip()]
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
    """Print the findings; exit with 1 if there is a fault."""
    folder, options, given = Path(__file__).parent, sys.argv[1:], []
    if "--receipt" in options[:-1]:
        at = options.index("--receipt")
        try:
            given = receipts(Path(options[at + 1]).read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            sys.exit(f"{options[at + 1]} cannot be read: {error}")
        del options[at : at + 2]
    if any(one.startswith("-") and one != "--stamps" for one in options):
        sys.exit(__doc__)
    try:
        text = (folder / "record.json").read_text("utf-8")
        record = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        sys.exit(f"record.json cannot be read: {error}")
    check = Check(record, *(one for one in options if one != "--stamps"))
    check.pages(folder, text)
    print(plain(check.said))
    if check.faults:
        sys.exit(plain(["This record does NOT pass the check:", *check.faults]))
    findings = [check.receipt(one) for one in given]
    for finding, said in findings:
        print(plain([said]), file=sys.stdout if finding == "proved" else sys.stderr)
    if any(finding != "proved" for finding, _ in findings):
        sys.exit(1)
    if "--stamps" in options:
        for digest, token in record["stamps"].items():
            (folder / f"{digest}.tsr").write_bytes(b64decode(token))
            print(f"openssl ts -verify -CAfile ROOTS.pem -digest {sha256(digest)} -in {digest}.tsr")
    elif record["stamps"]:
        print("To check the signatures of the stamps: python verify.py --stamps")
    print(check.verdict)


if __name__ == "__main__":
    main()
