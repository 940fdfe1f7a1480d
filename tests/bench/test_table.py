"""The lines of the table, and what the bench answers for a part that there is not."""

import subprocess
import sys

import pytest

from tests.bench.table import BYTES, SECONDS, Row
from tests.browser.conftest import ROOT


@pytest.mark.parametrize(
    ("row", "missed", "words"),
    [
        (
            Row("a", 0.2, 0.1, SECONDS, most_ratio=1.15),
            True,
            ["200.0 ms", "100.0 ms", "2.00", "≤ 1.15 missed"],
        ),
        (Row("a", 1.1, 1.0, SECONDS, most_ratio=1.15), False, ["1.10 s", "1.00 s", "1.10", "≤ 1.15"]),
        (Row("a", 2048, 1024, BYTES, most=1500), True, ["2.0 KiB", "1.0 KiB", "2.00", "≤ 1.5 KiB missed"]),
        (Row("a", 1024, None, BYTES), False, ["1.0 KiB"]),
        (Row("a", 1024, 0, BYTES, most_ratio=1), False, ["1.0 KiB", "0 B", "≤ 1"]),
    ],
)
def test_a_row_has_both_figures_their_ratio_and_whether_the_aim_was_missed(row: Row, missed: bool, words):
    assert row.missed is missed
    assert [cell.strip() for cell in row.line().split("  ") if cell.strip()] == ["a", *words]


def test_a_part_that_there_is_not_is_refused_with_the_names_of_those_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "load", "overheat"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert "overheat" in done.stderr
    assert "overhead" in done.stderr
