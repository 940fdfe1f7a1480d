"""What the tests of services share."""

from pathlib import Path

import pytest


@pytest.fixture
def two_lines(tmp_path: Path) -> tuple[str, Path]:
    """A command that prints a line, waits for the test's file, and prints another."""
    go = tmp_path / "go"
    script = tmp_path / "two_lines.sh"
    script.write_text(f'#!/bin/sh\necho first\nuntil [ -e "{go}" ]; do sleep 0.02; done\necho second\n')
    script.chmod(0o755)
    return str(script), go
