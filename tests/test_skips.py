"""In CI a test that does not run fails the whole run; elsewhere it says why and is let pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SKIPS = {
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no sun')\ndef test(): pass\n",
    "call": "import pytest\ndef test(): pytest.skip('no moon')\n",
    "module": "import pytest\npytest.skip('no stars', allow_module_level=True)\n",
    "failure": "import pytest\n@pytest.mark.xfail(reason='no sky')\ndef test(): 1 / 0\n",
    "none": "def test(): pass\n",
}


def run(folder: Path, *names: str, ci: str = "true", workers: int = 0) -> tuple[int, str]:
    """Return the exit code of a run of those tests, and what it says about skips in CI."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name in names:
        (folder / f"test_{name}.py").write_text(SKIPS[name])
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment |= {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they load for seconds
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider"]
    command += ["-p", "xdist.plugin", "-n", str(workers), "-c", str(folder / "pytest.ini")]
    done = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.partition("fails in CI")[2]


@pytest.mark.parametrize("workers", [0, 1])
def test_each_skip_fails_in_ci_with_its_reason(tmp_path: Path, workers: int) -> None:
    code, said = run(tmp_path, *SKIPS, workers=workers)
    assert code == 1
    for reason in ("no sun", "no moon", "no stars", "test_failure"):
        assert reason in said
    assert "test_none" not in said


def test_a_skip_elsewhere_and_a_run_in_ci_without_one_pass(tmp_path: Path) -> None:
    assert run(tmp_path, "none") == (0, "")
    assert run(tmp_path, *SKIPS, ci="") == (0, "")


def test_the_tests_of_this_project_are_held_to_it(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.skips")
