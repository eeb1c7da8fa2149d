"""The other kinds: a document, a feed, a deadline, a question, a program, or a package's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput, CannotTell
from forecasts.resolution.resolvers.kinds import kind, names
from forecasts.resolution.resolvers.series import look as our_look
from tests.resolution.resolvers.looking import (
    CLOSE,
    at,
    is_gone,
    look,
    outcome,
    question,
    wait_until,
)

# --- http_json ----------------------------------------------------------------------------------

STATUS = {
    "url": "page",
    "outcome": "launch.status",
    "outcomes": {"success": "yes", "failure": "no", "true": "yes"},
    "not_yet": ["planned", "null"],
    "known_at": "launch.at",
}


def page(status: Any, when: Any = "2026-01-05T12:00:00Z") -> str:
    return json.dumps({"launch": {"status": status, "at": when}})


def test_each_value_means_its_outcome() -> None:
    assert outcome(look("http_json", STATUS, at(9), page=page("success"))) == ("yes", at(5, 12))
    assert outcome(look("http_json", STATUS, at(9), page=page(True))) == ("yes", at(5, 12))
    assert look("http_json", STATUS, at(9), page=page("planned")) is None
    assert look("http_json", STATUS, at(9), page=page(None)) is None
    assert look("http_json", STATUS, at(5), page=page("success")) is None  # known later today
    with pytest.raises(CannotTell, match="is null"):
        look("http_json", STATUS | {"not_yet": []}, at(9), page="{}")


def test_a_number_answers_a_numeric_question() -> None:
    settings = {"url": "page", "outcome": "launch.status"}
    finding = look("http_json", settings, at(9), question("numeric"), page=page(12.5))
    assert outcome(finding) == ("12.5", at(9))
    with pytest.raises(CannotTell, match="no meaning"):
        look("http_json", settings, at(9), question("numeric"), page=page(True))


def test_a_document_that_changed_its_form_decides_nothing() -> None:
    for text, fault in (
        (page("postponed"), "no meaning for 'rain'"),
        (page({"a": 1}), "no meaning"),
        (page("success", "soon"), "'soon' is not a time"),
        (page("success", None), "not a time"),
        ('{"other": 1, "launch": NaN}', "not JSON"),
        ("<html>", "not JSON"),
        ("", "not JSON"),
    ):
        with pytest.raises(CannotTell, match=fault) as caught:
            look("http_json", STATUS, at(9), page=text)
        assert caught.value.temporary is (fault == "not JSON")
        assert caught.value.remedy


@pytest.mark.parametrize(
    ("type_", "takes", "refuses"),
    [
        ("binary", "0.5", "2"),
        ("numeric", "12.5", "many"),
        ("date", "2026-01-05", "soon"),
        ("multiple_choice", "Busan", "Seoul"),
    ],
)
def test_the_outcome_must_be_of_the_questions_type(type_: str, takes: str, refuses: str) -> None:
    asked = question(type_, options=("Busan", "Rome") if type_ == "multiple_choice" else ())
    for name, given in (
        ("http_json", lambda said: STATUS | {"outcomes": {"success": said}}),
        ("feed", lambda said: WATCH | {"outcome": said}),
    ):
        for said in (takes, "annulled"):
            assert kind(name).check(name, given(said), asked)
        with pytest.raises(BadInput, match=f"'{refuses}' is not an outcome of 'rain'") as refused:
            kind(name).check(name, given(refuses), asked)
        assert "Possible outcomes" in refused.value.remedy


def test_a_private_address_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
    local = STATUS | {"url": "http://localhost/status"}
    assert kind("http_json").check("http_json", local, question())["url"] == local["url"]


# --- feed ---------------------------------------------------------------------------------------


def rss(*items: tuple[str, str, str]) -> str:
    entries = "".join(
        f"<item><title>{title}</title><description>{text}</description>"
        f"<link>https://example.org/{number}</link><pubDate>{when}</pubDate></item>"
        for number, (title, text, when) in enumerate(items)
    )
    return f'<rss version="2.0"><channel><title>News</title>{entries}</channel></rss>'


WATCH = {"url": "feed", "outcome": "yes", "all_of": ["ferry"], "none_of": ["rumour"]}


def test_a_feed_may_only_propose_with_the_articles_that_matched() -> None:
    assert kind("feed").only_proposes
    text = rss(
        ("The ferry is replaced", "by a bridge", "Mon, 05 Jan 2026 10:00:00 GMT"),
        ("A rumour", "about the ferry", "Sun, 04 Jan 2026 10:00:00 GMT"),
        ("Ferryman of the year", "named", "Sun, 04 Jan 2026 10:00:00 GMT"),
        ("An old ferry", "long ago", "Sun, 04 Jan 2015 10:00:00 GMT"),
    )
    finding = look("feed", WATCH, at(9), feed=text)
    assert outcome(finding) == ("yes", at(5, 10))
    assert finding is not None
    assert "The ferry is replaced (https://example.org/0)" in finding.note
    assert "rumour" not in finding.note
    assert look("feed", WATCH, at(4), feed=text) is None


def test_a_document_that_is_not_a_small_feed_decides_nothing() -> None:
    with pytest.raises(CannotTell, match="neither RSS nor Atom") as caught:
        look("feed", WATCH, at(9), feed="<html><body>Not found</body></html>")
    assert caught.value.temporary
    with pytest.raises(CannotTell, match="up to 1,000,000 bytes, got 1,000,001 bytes"):
        look("feed", WATCH, at(9), feed=" " * 1_000_001)


def test_a_hostile_feed_is_read_in_seconds() -> None:
    for text in (
        rss(("News", "<![CDATA[" + "<!--" * 240_000 + "]]>", "Mon, 05 Jan 2026 10:00:00 GMT")),
        rss(("News", "&lt;!--" * 140_000, "Mon, 05 Jan 2026 10:00:00 GMT")),
        rss(("News", "<!--" * 240_000, "Mon, 05 Jan 2026 10:00:00 GMT")),
    ):
        began = time.monotonic()
        assert look("feed", WATCH, at(9), feed=text) is None
        assert time.monotonic() - began < 5, text[:200]


def test_markup_in_an_article_is_not_read_as_words() -> None:
    text = rss(
        (
            "<![CDATA[The <b>ferry</b> <img alt='rumour'>]]>",
            "<![CDATA[is <script src='rumour'></script>replaced]]>",
            "Mon, 05 Jan 2026 10:00:00 GMT",
        )
    )
    finding = look("feed", WATCH | {"all_of": ["the ferry is replaced"]}, at(9), feed=text)
    assert finding is not None
    assert "The ferry (https" in finding.note


# --- deadline -----------------------------------------------------------------------------------


def test_a_deadline_says_no_when_the_time_is_up_unless_an_outcome_is_proposed() -> None:
    assert look("deadline", {}, CLOSE.replace(second=58)) is None
    assert outcome(look("deadline", {}, CLOSE)) == ("no", CLOSE)
    assert look("deadline", {"wait_days": 2}, at(2, month=2)) is None
    assert outcome(look("deadline", {"wait_days": 2}, at(3, month=2))) == ("no", CLOSE)
    assert look("deadline", {}, at(3, month=2), question(proposed=True)) is None


# --- question -----------------------------------------------------------------------------------


def follow(settings: dict[str, Any], came_out: str | None, asked: Any = None) -> Any:
    answer = None if came_out is None else {"outcome": came_out, "known_at": "2026-01-05T00:00:00Z"}
    contents = {"question:snow": json.dumps(answer)}
    finding = look("question", {"question": "snow", **settings}, at(9), asked, **contents)
    return finding and finding.outcome


def test_a_question_follows_another_by_a_rule() -> None:
    for settings, theirs, ours in (
        ({}, "yes", "yes"),
        ({}, None, None),
        ({"rule": "opposite"}, "yes", "no"),
        ({"rule": "opposite"}, "annulled", "annulled"),
        ({"rule": "condition", "when": "yes"}, "no", "annulled"),
        ({"rule": "condition", "when": "yes"}, "yes", None),
        ({"rule": "condition", "when": "yes"}, "ambiguous", "annulled"),
    ):
        assert follow(settings, theirs) == ours, (settings, theirs)


def test_an_outcome_without_an_opposite_decides_nothing() -> None:
    with pytest.raises(CannotTell, match="no opposite"):
        follow({"rule": "opposite"}, "Busan")


# --- command ------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("FORECASTS_COMMANDS_FOLDER", str(folder))
    monkeypatch.setenv("A_SECRET", "hidden")

    def write(body: str) -> dict[str, Any]:
        path = folder / "tell"
        path.write_text(f"#!{sys.executable} -S\nimport json, os, sys, time\n{body}\n")
        path.chmod(0o755)
        return {"program": "tell"}

    return write


def test_a_program_of_the_operators_decides(program: Any) -> None:
    settings = program(
        "said = json.load(sys.stdin)\n"
        "assert 'A_SECRET' not in os.environ\n"
        "json.dump({'outcome': 'yes', 'known_at': '2026-01-05', "
        "'note': said['question']['slug'] + sys.argv[1]}, sys.stdout)"
    )
    finding = look("command", settings | {"arguments": ["!"]}, at(9))
    assert outcome(finding) == ("yes", at(5))
    assert finding is not None
    assert finding.note == "rain!"


@pytest.mark.slow
def test_a_program_may_say_that_it_is_not_known_yet_or_why_it_cannot_tell(program: Any) -> None:
    assert look("command", program("print('{\"not_yet\": true}')"), at(9)) is None
    with pytest.raises(CannotTell, match="cannot tell: the page is gone"):
        look("command", program("print(json.dumps({'cannot_tell': 'the page is gone'}))"), at(9))


@pytest.mark.slow
def test_a_failing_program_decides_nothing(program: Any) -> None:
    for body, fault in (
        ("sys.exit('no network')", "ended with code 1: no network"),
        ("print('yes')", "not JSON"),
        ("print('[1]')", "not a valid answer"),
        ("print('{\"result\": 1}')", "not a valid answer"),
        ('print(\'{"outcome": "yes"}\')', "has no 'known_at'"),
        ('print(\'{"outcome": "yes", "known_at": "soon"}\')', "'soon' is not a time"),
        ("print('x' * 3_000_000)", "more than 1,000,000 bytes"),
        ("time.sleep(60)", "more than 0.3 seconds"),
        ("os.close(1); os.close(2); time.sleep(60)", "more than 0.3 seconds"),
    ):
        # Those that are to hang are given little time; the others must not run out of it.
        seconds = 0.3 if "sleep" in body else 30
        with pytest.raises(CannotTell, match=fault) as caught:
            look("command", program(body) | {"seconds": seconds}, at(9))
        assert caught.value.temporary
        assert "started again later" in caught.value.remedy


# How a program starts another, and what that one does to get away.
STARTS = {
    "a child": "if os.fork() == 0: stay()",
    "in a session of its own": "if os.fork() == 0: os.setsid(); stay()",
    "without the environment": (
        "if os.fork() == 0: os.setsid(); os.execve('/bin/sh', ['sh', '-c', "
        "f'echo $$ > {pid}; sleep 60'], {})"
    ),
    "a daemon": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: stay()\n    os._exit(0)"
    ),
}


ENDS = ["time.sleep(60)", "print('{\"not_yet\": true}')", "sys.exit(1)"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("starts", "ends"),
    [*((one, ENDS[1]) for one in STARTS), ("a daemon", ENDS[0]), ("a child", ENDS[2])],
)
def test_all_processes_are_stopped(program: Any, tmp_path: Path, starts: str, ends: str) -> None:
    pid = tmp_path / "pid"
    body = (
        f"pid = {str(pid)!r}\n"
        "def stay():\n"
        "    for stream in (0, 1, 2): os.close(stream)\n"
        "    open(pid, 'w').write(f'{os.getpid()}\\n')\n"
        "    time.sleep(60)\n"
        f"{STARTS[starts]}\n"
        "while not os.path.exists(pid) or not open(pid).read().endswith('\\n'): pass\n"
        f"{ends}"
    )
    seconds = 3 if ends == ENDS[0] else 60  # enough to start, also on a busy machine
    with suppress(CannotTell):
        look("command", program(body) | {"seconds": seconds}, at(9))
    assert is_gone(int(pid.read_text()))  # at once


@pytest.mark.slow
def test_a_program_ends_with_a_run_that_is_killed(program: Any, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    settings = program(
        "if os.fork() == 0: os.setsid()\n"
        f"with open({str(pid)!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"
        "time.sleep(60)"
    )
    looks = f"from tests.resolution.resolvers.looking import *; look('command', {settings}, at(9))"
    with subprocess.Popen([sys.executable, "-c", looks]) as a_run:
        wait_until(lambda: pid.exists() and pid.read_text().count("\n") == 2)
        a_run.kill()
    wait_until(lambda: all(map(is_gone, map(int, pid.read_text().split()))))


@pytest.mark.parametrize("name", ["../tell", "/bin/true", "..", "tell\0", "other", "link"])
def test_only_programs_in_the_folder_are_run(program: Any, tmp_path: Path, name: str) -> None:
    program("print('{}')")
    (tmp_path / "commands" / "link").symlink_to("/bin/true")
    with pytest.raises(BadInput):
        look("command", {"program": name}, at(9))


def test_without_a_folder_programs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORECASTS_COMMANDS_FOLDER", raising=False)
    with pytest.raises(BadInput, match="no folder of commands is set"):
        look("command", {"program": os.path.basename(sys.executable)}, at(9))


# --- kinds --------------------------------------------------------------------------------------


FEED = {"url": "https://example.org/feed", "outcome": "yes"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("outcomes_file", {}), ("outcomes_file", {"path": ""}), ("outcomes_file", {"path": 3}),
        ("outcomes_file", {"path": "x", "colour": "red"}),
        ("http_json", STATUS | {"outcomes": {"success": "maybe"}}),
        ("http_json", STATUS | {"outcomes": {}}),
        ("http_json", STATUS | {"not_yet": ["success"]}),
        ("http_json", STATUS | {"url": "http://localhost/status"}),
        ("http_json", STATUS | {"url": "https://10.0.0.1/status"}),
        ("http_json", STATUS | {"url": "http://[::1]/status"}),
        ("http_json", STATUS | {"url": "htps://example.org/a"}),
        ("http_json", STATUS | {"outcome": "a["}), ("http_json", {"url": "page"}),
        ("series", {"source": "a.csv", "expression": "max(value) > 1 between close and open"}),
        ("feed", FEED), ("feed", FEED | {"any_of": [" "]}), ("feed", FEED | {"none_of": ["a"]}),
        ("feed", FEED | {"any_of": ["rain"], "outcome": "perhaps"}),
        ("deadline", {"outcome": "maybe"}), ("deadline", {"by": "resolve"}),
        ("deadline", {"wait_days": "soon"}),
        ("question", {"question": "rain"}), ("question", {"question": "snow", "when": "yes"}),
        ("question", {"question": "snow", "rule": "condition"}),
        ("question", {"question": "snow", "rule": "never"}),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        kind(name).check(name, settings, question())


def test_a_number_has_no_default_outcome_and_settings_have_a_size() -> None:
    with pytest.raises(BadInput, match="use another kind"):
        kind("deadline").check("deadline", {}, question("numeric"))
    with pytest.raises(BadInput, match=r"settings take .* at most 0.1 MB are kept") as refused:
        kind("http_json").check("http_json", STATUS | {"outcome": "a" * 100_000}, question())
    assert refused.value.remedy


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(BadInput, match="outcomes_file, series, http_json, feed, deadline"):
        kind("oracle")
    assert len(set(names())) == len(names())


SAMPLE = Path(__file__).with_name("sample_package")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample package, built and installed into a folder by pip, as a user would."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    for part in SAMPLE.iterdir():
        if part.is_file():
            (source / part.name).write_bytes(part.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--target", str(folder), str(source)], check=True)
    return folder


@pytest.fixture
def theirs(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.delitem(sys.modules, "forecasts_coin", raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("theirs")
def test_a_kind_of_another_package_is_there_once_it_is_installed() -> None:
    assert "coin" in names()
    assert look("coin", {"side": "yes"}, at(9)) is None
    assert outcome(look("coin", {"side": "yes"}, CLOSE)) == ("yes", CLOSE)
    with pytest.raises(BadInput, match="do not fit the resolver kind coin"):
        look("coin", {"colour": "red"}, at(9))
    # It does not take the place of one of ours, and one that cannot be loaded is named.
    assert kind("series").look is our_look
    assert names().count("series") == 1
    with pytest.raises(BadInput, match="'broken' cannot be used: AttributeError"):
        kind("broken")


def test_without_the_package_the_kind_is_unknown() -> None:
    with pytest.raises(BadInput, match="There is no resolver kind 'coin'"):
        kind("coin")
