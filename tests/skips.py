"""In CI a test that is skipped fails the run: what does not run there proves nothing."""

from __future__ import annotations

import os

import pytest

# The tests that were skipped, each with the reason.
_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that was skipped."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a module that was skipped."""
    _note(report)


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped:
        why = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        _skipped.append(f"{report.nodeid}: {why}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the run fail in CI."""
    if os.environ.get("CI") and _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests let it fail, and why."""
    if os.environ.get("CI") and _skipped:
        terminalreporter.section("skipped, which fails in CI", red=True, bold=True)
        for line in _skipped:
            terminalreporter.line(line)
