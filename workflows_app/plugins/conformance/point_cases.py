"""What a storage plugin promises that can work on one backup: verify it, list its files, delete it."""

import os
from pathlib import Path

from workflows_app.domain.config import Config
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.results import Backup
from workflows_app.domain.runs.restores import RESTORE_FILES, RestoreRequest
from workflows_app.plugins.base import BROWSE, DELETE, VERIFY
from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.stored import listed, made, need_storage
from workflows_app.plugins.conformance.trial import CaseFailed, Trial, restore_config, run_config

# Of those that the retention has left.
_VERIFIED, _DELETED = 12, 2
_PIECE = b"\xff damaged by the check \xff"


def _verify(trial: Trial) -> str:
    _need(trial, VERIFY)
    trial.done("backup_verify", _about(made(trial, _VERIFIED)))
    return ""


def _damage(trial: Trial) -> str:
    _need(trial, VERIFY)
    backup = made(trial, _VERIFIED)
    largest = _largest_file(trial.scratch.target, backup)
    if largest is None:
        return "no file of its name was found that could be damaged"
    whole = largest.read_bytes()
    mode = largest.stat().st_mode
    largest.chmod(0o600)
    middle = len(whole) // 2
    largest.write_bytes(whole[:middle] + _PIECE + whole[middle + len(_PIECE) :])
    try:
        found = trial.refuses("backup_verify", _about(backup))
    finally:
        largest.write_bytes(whole)
        largest.chmod(mode)
    if not found:
        raise CaseFailed(f"{largest.name} was damaged, and it found nothing wrong")
    return ""


def _browse(trial: Trial) -> str:
    _need(trial, BROWSE)
    backup = made(trial, _VERIFIED)
    files = {str(trial.scratch.source / name) for name in trial.scratch.fill(_VERIFIED)}
    found = _files_below(trial, backup, "", 0)
    missing = [path for path in files if not any(name.endswith(path) for name in found)]
    if missing:
        raise CaseFailed(f"it does not tell of {missing[0]}")
    searched = _page(trial, backup, FileQuery(search="BYTES.bin"))
    if not any(entry.path.endswith("folder/bytes.bin") for entry in searched.entries):
        raise CaseFailed("a search for 'BYTES.bin' does not find folder/bytes.bin")
    return f"{len(found)} files and folders"


def _single_file(trial: Trial) -> str:
    _need(trial, BROWSE, "restore", RESTORE_FILES)
    backup = made(trial, _VERIFIED)
    files = trial.scratch.fill(_VERIFIED)
    found = _page(trial, backup, FileQuery(search="number.txt")).entries
    if len(found) != 1:
        raise CaseFailed(f"a search for 'number.txt' finds {len(found)} files")
    target = trial.scratch.root / "single"
    request = RestoreRequest(target=str(target), files=(found[0].key,))
    trial.done("restore", restore_config(backup), request)
    restored = sorted(path for path in target.rglob("*") if path.is_file())
    if [path.name for path in restored] != ["number.txt"]:
        raise CaseFailed(f"one file was asked for, and {[path.name for path in restored]} were restored")
    if restored[0].read_bytes() != files["number.txt"]:
        raise CaseFailed("the restored file has another content")
    return ""


def _delete(trial: Trial) -> str:
    _need(trial, DELETE)
    backup = made(trial, _DELETED)
    if not trial.refuses("backup_delete", _about(backup), held=frozenset({backup.name})):
        raise CaseFailed("a backup that is held was deleted")
    made(trial, _DELETED)
    trial.done("backup_delete", _about(backup))
    left = [found.workflow_id for found in listed(trial)]
    if str(_DELETED) in left or not left:
        raise CaseFailed(f"run {_DELETED} was to be deleted, and those of {left} are left")
    if not trial.refuses("backup_delete", _about(backup)):
        raise CaseFailed("a backup that is not there was deleted")
    return ""


def _need(trial: Trial, *capabilities: str) -> None:
    need_storage(trial, "backup", "backupList", *capabilities)


def _about(backup: Backup) -> Config:
    """The configuration of a call about one backup, outside of any run."""
    return run_config(99).model_copy(update={"backup": backup})


def _page(trial: Trial, backup: Backup, query: FileQuery) -> FileListing:
    found = trial.ask("backup_browse", _about(backup), query=query)
    if not isinstance(found, FileListing):
        raise CaseFailed(f"backup_browse answered {type(found).__name__}, not FileListing")
    if len(found.entries) > query.limit:
        raise CaseFailed(
            f"{query.limit} entries were asked for at most, and it answered {len(found.entries)}"
        )
    return found


def _files_below(trial: Trial, backup: Backup, folder: str, depth: int) -> list[str]:
    """All paths, gone through folder by folder, as a person would."""
    paths = []
    for entry in _page(trial, backup, FileQuery(folder=folder)).entries:
        paths.append(entry.path)
        if entry.type == "directory" and depth < len(trial.scratch.source.parts) + 5:
            paths += _files_below(trial, backup, entry.key, depth + 1)
    return paths


def _largest_file(target: Path, backup: Backup) -> Path | None:
    """The largest file below the folder for backups that belongs to the backup, by its path."""
    files = [
        Path(folder, name)
        for folder, _, names in os.walk(target)
        for name in names
        if backup.name in str(Path(folder, name).relative_to(target))
    ]
    return max(files, key=lambda path: path.stat().st_size, default=None)


CASES = (
    Case("verify finds nothing wrong with a good backup", _verify),
    Case("verify finds damage", _damage),
    Case("browse tells of every file", _browse),
    Case("restore brings back one file alone", _single_file),
    Case("delete deletes one backup, unless it is held", _delete),
)
