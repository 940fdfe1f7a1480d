"""Makes a backup: a snapshot that becomes one only when it was proven."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.restic.parameters import Parameters, tidy_sources
from workflows_app.plugins.restic.program import Document, Incomplete, NoRepository, Restic, error_words
from workflows_app.plugins.restic.snapshots import (
    Snapshot,
    own_snapshots,
    owner_tag,
    proven_tags,
    unproven_tag,
)
from workflows_app.plugins.restic.specs import Proof
from workflows_app.plugins.restic.verification import pack_names, prove
from workflows_app.plugins.storing.names import own_name
from workflows_app.plugins.wording import reason_of, shown

_LISTED_ERRORS = 20


def make_backup(context: PluginContext) -> Result:
    """Back the sources up, prove the snapshot, and answer it in ``Result.backup``.

    Raises ConfigInvalid, PluginFailed, or Cancelled; then no snapshot of it is listed, and none is left
    unless that is said.
    """
    parameters = Parameters.of(context)
    name = own_name(context)
    sources = tidy_sources(context)
    _refuse_unreadable(sources)
    restic = Restic(context, parameters)
    context.info("Performing restic backup")
    context.info(f"Backup name is {name}, Repository is {parameters.repository}")
    with restic.leaving_no_lock():
        _prepare(context, restic, parameters)
        before = pack_names(restic, parameters) if parameters.proof is Proof.NEW else frozenset()
        made = _snapshot(context, restic, parameters, name, sources)
        prove(context, restic, parameters, before)
        listed = _publish(restic, parameters, name, made)
    context.info(
        f"Backup {name} completed: snapshot {listed.id[:8]}, {made.files} files, {size_words(made.size)}, "
        f"{size_words(made.added)} of them new in the repository, verified"
    )
    backup = listed.backup
    assert backup is not None  # noqa: S101 - it was published under its name
    return Result(backup=backup.model_copy(update={"timestamp": str(backup.epoch)}))


@dataclass(slots=True)
class _Made:
    """What restic tells of a snapshot while it is made, and in the end. Sizes in bytes."""

    id: str = ""
    files: int = 0
    size: int = 0
    added: int = 0
    errors: list[str] = field(default_factory=list)


def _snapshot(
    context: PluginContext, restic: Restic, parameters: Parameters, name: str, sources: tuple[str, ...]
) -> _Made:
    made = _Made()

    def hear(told: Document) -> None:
        kind = told.get("message_type")
        if kind == "status":
            context.report(_report(told))
        elif kind == "summary":
            made.id = str(told.get("snapshot_id", ""))
            made.files = int(told.get("total_files_processed", 0))
            made.size = int(told.get("total_bytes_processed", 0))
            made.added = int(told.get("data_added", 0))
        elif kind == "error":
            made.errors.append(error_words(told))
            if len(made.errors) <= _LISTED_ERRORS:
                context.say(Level.ERROR, error_words(told))

    def read(line: str) -> None:
        # A source that vanished is left out with a remark alone.
        if line.endswith("does not exist, skipping"):
            made.errors.append(line)
        context.info(line)

    arguments = ["--json", "backup", "--host=fossul"]
    arguments += [f"--tag={tag}" for tag in (owner_tag(parameters), unproven_tag(name), *parameters.tags)]
    arguments += [f"--exclude={pattern}" for pattern in parameters.exclude]
    arguments += ["--one-file-system"] if parameters.one_file_system else []
    try:
        restic.run(*arguments, "--", *sources, hear=hear, read=read)
    except Incomplete as error:
        _forget_unproven(context, restic, parameters)
        raise _incomplete(str(error)) from None
    if made.errors:
        _forget_unproven(context, restic, parameters)
        raise _incomplete(made.errors[0])
    if not made.id:
        raise PluginFailed("restic ended well but told of no snapshot: look at the repository")
    return made


def _incomplete(why: str) -> PluginFailed:
    return PluginFailed(
        f"Not every file could be read, so that this is no backup, and its snapshot was forgotten: {why}. "
        f"Let the worker's user (uid {os.geteuid()}) read them, or exclude them, and run the backup again"
    )


def _publish(restic: Restic, parameters: Parameters, name: str, made: _Made) -> Snapshot:
    """Give the snapshot its name; answer it as it is listed then. Raises PluginFailed when it is not."""
    tags = proven_tags(name, made.size)
    restic.run("tag", f"--remove={unproven_tag(name)}", *(f"--add={tag}" for tag in tags), made.id)
    listed = [snapshot for snapshot in own_snapshots(restic, parameters) if snapshot.name == name]
    if len(listed) != 1:
        raise PluginFailed(
            f"The snapshot {made.id[:8]} was made but is not in the repository's list under its name: look "
            "at the repository before you rely on it"
        )
    return listed[0]


def _prepare(context: PluginContext, restic: Restic, parameters: Parameters) -> None:
    """Open the repository, or create it when that is asked, and clear it of what is no backup."""
    try:
        _forget_unproven(context, restic, parameters)
    except NoRepository:
        if not parameters.create:
            raise
        _refuse_to_create_over(parameters.repository)
        context.info(f"Creating the repository {parameters.repository}")
        restic.run("init")


def _refuse_to_create_over(repository: str) -> None:
    """restic makes a new repository over one that lost its file ``config``, and then cannot read the old."""
    folder = Path(repository)
    if folder.is_absolute() and folder.is_dir() and any(folder.iterdir()):
        raise PluginFailed(
            f"There is no repository at {repository}, and none is created, since the folder is not empty. If "
            "it was one, bring its file config back; otherwise name another folder in Repository"
        )


def _forget_unproven(context: PluginContext, restic: Restic, parameters: Parameters) -> None:
    """Forget what a lost run of this configuration left; only one runs at a time."""
    left = [snapshot.id for snapshot in own_snapshots(restic, parameters) if snapshot.unproven]
    if left:
        context.warn(
            f"Forgetting {len(left)} snapshot{'s' if len(left) > 1 else ''} that never became a backup"
        )
        restic.run("forget", *left)


def _refuse_unreadable(sources: tuple[str, ...]) -> None:
    """restic leaves out a source that is not there, without failing."""
    for source in sources:
        try:
            os.lstat(source)
        except OSError as error:
            raise PluginFailed(
                f"Cannot read {shown(source)}: {reason_of(error)}. Check BackupSrcPaths on this worker"
            ) from error


def _report(told: Document) -> Report:
    note = ""
    with suppress(LookupError, TypeError):
        note = str(told["current_files"][0])
    return Report(
        int(told.get("bytes_done", 0)),
        int(told.get("total_bytes", 0)),
        int(told.get("files_done", 0)),
        int(told.get("total_files", 0)),
        note or "copying",
    )
