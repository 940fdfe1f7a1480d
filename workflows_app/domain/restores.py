"""What a restore is asked for."""

from workflows_app.domain.wire import WireModel


class RestoreRequest(WireModel):
    """Where a backup goes back to, and whether for real.

    ``target`` is an absolute path below which the backup's paths are written; empty means the places
    they came from. A ``dry_run`` writes nothing and tells what would be written, changed and removed.
    ``safety`` asks for a backup of the present state before anything is written. ``files`` are what of
    the backup is wanted, by ``FileEntry.key``: those files, and those folders with all that is in them;
    empty means everything.
    """

    omit_empty = frozenset({"target", "dryRun", "safety", "files"})

    target: str = ""
    dry_run: bool = False
    safety: bool = False
    files: tuple[str, ...] = ()
