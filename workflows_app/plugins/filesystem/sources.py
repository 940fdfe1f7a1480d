"""The source paths as they are on the disk: which they really are, and whether they can be backed up."""

import os
import stat
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.wording import reason_of, shown


def resolve_sources(
    sources: Sequence[Path], destination: Path, folder: Path, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Answer the real path of each source, in the order given.

    A source that is reached through a symbolic link is backed up where it really is, and that is said.
    ``destination`` and the configuration's ``folder`` below it are real paths already.

    Raises PluginFailed for a source that does not exist or is neither a directory nor a regular file, for
    two that contain each other, and for one that would back up backups into themselves.
    """
    resolved = tuple(_resolve(source, say) for source in sources)
    for one, other in combinations(resolved, 2):
        if one == other:
            raise PluginFailed(f"The source {shown(one)} is given twice: remove one of the two")
        for outer, inner in ((one, other), (other, one)):
            if _contains(outer, inner):
                raise PluginFailed(
                    f"The source {shown(inner)} lies in the source {shown(outer)} and would be backed up "
                    "twice: remove one of the two"
                )
    for source in resolved:
        if _contains(source, str(destination)) or _contains(str(folder), source):
            raise backs_up_itself(source, str(destination))
    return resolved


def backs_up_itself(source: str, destination: str) -> PluginFailed:
    """The refusal of a source in which the backups are kept."""
    return PluginFailed(
        f"The source {shown(source)} and the destination {shown(destination)} lie in each other: backups "
        "would be backed up into themselves. Set BackupDestPath to a folder outside of the sources"
    )


def _resolve(source: Path, say: Callable[[str], None]) -> str:
    given = os.path.normpath(source)
    try:
        # Links are followed before ".." is, as the kernel does.
        real = os.path.realpath(source, strict=True)
        mode = os.lstat(real).st_mode
    except OSError as error:
        raise PluginFailed(
            f"Cannot read the source {shown(given)}: {reason_of(error)}. Check the path on this worker"
        ) from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise PluginFailed(f"The source {shown(given)} is neither a directory nor a regular file")
    if real != given:
        say(f"The source {shown(given)} is really {shown(real)}: that is what is backed up")
    return real


def _contains(outer: str, inner: str) -> bool:
    return Path(inner).is_relative_to(outer)
