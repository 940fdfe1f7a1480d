"""Digests: all is well is said, and so is what is not, and that one comes late."""

from datetime import UTC, datetime, timedelta

from workflows_app.domain.notices.digests import Digest, DigestCounts, DigestRow
from workflows_app.domain.runs.protection import ProtectionState

DUE = datetime(2026, 11, 24, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def row(
    config: str = "db", state: ProtectionState | None = ProtectionState.PROTECTED, **changes
) -> DigestRow:
    return DigestRow(
        **{
            "profile": "shop",
            "config": config,
            "protection": state,
            "last_good": DUE,
            "size": 2**21,
            **changes,
        }
    )


def digest(*rows: DigestRow, late: timedelta = timedelta(0)) -> Digest:
    return Digest(DUE - DAY, DUE, DUE + late, DigestCounts(completed=3, failed=1), rows)


def test_all_is_well_is_said():
    told = digest(row(), row("files", ProtectionState.UNPROMISED), row("old", None, disabled=True))
    assert told.title == "Backups: all is well (3 configurations)"
    assert "3 backups completed, 1 failed, 0 missed, 0 skipped" in told.summary
    assert "late" not in told.summary
    assert told.lines[0] == "shop/db: protected; last good backup 2026-11-24 08:00 UTC; 2.0 MiB"


def test_what_is_not_well_comes_first():
    told = digest(row(), row("zoo", incidents=("the last backup failed",), held=2))
    assert told.title == "Backups: 1 of 2 configurations to look at"
    assert told.lines[0].startswith("shop/zoo: protected;")
    assert told.lines[0].endswith("2 held; the last backup failed")


def test_what_is_not_known_is_not_well():
    for state in (None, ProtectionState.UNKNOWN, ProtectionState.NEVER, ProtectionState.EMPTY):
        assert "to look at" in digest(row(state=state)).title


def test_a_late_digest_says_so():
    assert "3 h late" in digest(row(), late=timedelta(hours=3)).summary


def test_a_digest_of_nothing_is_not_all_is_well():
    assert digest().title == "Backups: nothing is configured yet"
