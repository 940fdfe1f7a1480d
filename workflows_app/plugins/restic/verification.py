"""Proves what is in a repository.

A pack is named by the SHA-256 of its bytes, and restic itself holds every blob against its own: so what is
read back and hashed is what was written.
"""

import hashlib
import os
import re

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import find_snapshot
from workflows_app.plugins.restic.specs import Proof
from workflows_app.plugins.wording import reason_of, shown

_PIECE = 1024 * 1024
_PACK = re.compile("[0-9a-f]{64}")


def pack_names(restic: Restic, parameters: Parameters) -> frozenset[str]:
    """The names of all packs in the repository. Raises PluginFailed when they cannot be read."""
    if parameters.local is None:
        return frozenset(line for line in restic.lines("list", "packs") if _PACK.fullmatch(line))
    folder = parameters.local / "data"
    try:
        return frozenset(path.name for path in folder.glob("*/*") if _PACK.fullmatch(path.name))
    except OSError as error:
        raise PluginFailed(f"Cannot read {shown(str(folder))}: {reason_of(error)}") from error


def prove(context: PluginContext, restic: Restic, parameters: Parameters, before: frozenset[str]) -> None:
    """Prove a repository after a backup to which it had the packs ``before``.

    ``restic check`` holds the index against the packs, and reads every snapshot's trees. With ``Proof.NEW``
    all packs that are new since are read back and hashed. Raises PluginFailed for what is damaged or missing.
    """
    context.info("Checking the repository's structure")
    context.report(Report(note="checking"))
    restic.run("check", read=lambda line: None)
    if parameters.proof is not Proof.NEW:
        return
    new = sorted(pack_names(restic, parameters) - before)
    context.info(f"Reading back {len(new)} new pack{'' if len(new) == 1 else 's'}")
    for number, pack in enumerate(new):
        context.check_cancelled()
        context.report(Report(done_files=number, total_files=len(new), note="reading back"))
        if parameters.local is None:
            _read_remote(restic, pack)
        else:
            _read_local(context, parameters, pack)


def verify_backup(context: PluginContext) -> Result:
    """Read all that the backup ``context.config.backup`` needs and hold every blob against its hash.

    Nothing is written to any disk: restic makes a tar stream of it, which is thrown away. Raises PluginFailed
    when it is not there or damaged.
    """
    parameters = Parameters.of(context)
    restic = Restic(context, parameters)
    with restic.leaving_no_lock():
        snapshot = find_snapshot(restic, parameters, context.config.backup)
        context.info(f"Verifying snapshot {snapshot.id[:8]}")
        # As a tar stream, restic reads, decrypts and hashes every blob of it.
        restic.discard("dump", "--archive=tar", snapshot.id, "/")
    context.info(f"Backup {context.config.backup.name} verified: every blob of it was read")
    return Result()


def _read_local(context: PluginContext, parameters: Parameters, pack: str) -> None:
    assert parameters.local is not None  # noqa: S101 - the caller asks for a folder's packs only
    path = parameters.local / "data" / pack[:2] / pack
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := file.read(_PIECE):
                context.check_cancelled()
                digest.update(piece)
    except OSError as error:
        raise PluginFailed(
            f"The new pack {shown(str(path))} cannot be read back: {reason_of(error)}"
        ) from error
    if digest.hexdigest() != pack:
        raise PluginFailed(
            f"The new pack {shown(str(path))} is not what was written to it: check the disk, then run "
            "`restic repair` as its manual says"
        )


def _read_remote(restic: Restic, pack: str) -> None:
    """Let restic read a pack, which holds it against its name, and warns."""
    said = restic.discard("cat", "pack", pack)
    if any("does not match" in line for line in said):
        raise PluginFailed(
            f"The new pack {pack} of the repository is not what was written to it: {'; '.join(said)}"
        )
