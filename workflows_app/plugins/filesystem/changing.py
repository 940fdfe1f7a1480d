"""What goes or is replaced while it is copied: of a file that is noticed, of the source it ends the copy."""

import os
from collections.abc import Callable, Iterator
from types import TracebackType

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.reading import Replaced, refuse_unreadable
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.walk import Entry, walk
from workflows_app.plugins.wording import shown


def present(scanned: Scanned, notices: Notices, check_cancelled: Callable[[], None]) -> Iterator[Entry]:
    """All that is in a source now and can be kept, in the order of the walk.

    What the scan saw and is not there any more is noticed. Raises PluginFailed for a folder that cannot be
    read, and when in the end the source itself is not there any more; and what ``check_cancelled`` raises.
    """

    def note_missing(path: str | None) -> None:
        for missing in scanned.names.missing_before(path):
            notices.add(Notice.VANISHED, missing)

    for entry in walk(scanned.source, refuse_unreadable, scanned.rules):
        check_cancelled()
        if entry.is_socket:
            continue
        if not entry.is_directory:
            note_missing(entry.path)
        yield entry
    note_missing(None)
    if not _is_there(scanned):
        raise PluginFailed(
            f"The source {shown(scanned.source)} vanished or was replaced while it was copied, so that this "
            "is no backup of it. Look what removes or unmounts it, and run the backup again"
        )


def _is_there(scanned: Scanned) -> bool:
    """Whether a source is still there. A file may have been replaced, as many programs save theirs."""
    try:
        status = os.lstat(scanned.source)
    except FileNotFoundError:
        return False
    except OSError as error:
        refuse_unreadable(scanned.source, error)
        return False
    return scanned.folder in (None, (status.st_dev, status.st_ino))


class Noticing:
    """Notices when what is at ``path`` vanishes or is replaced while the block copies it, which then ends.

    Raises PluginFailed when it cannot be read.
    """

    __slots__ = ("_notices", "_path")

    def __init__(self, path: str, notices: Notices) -> None:
        self._path = path
        self._notices = notices

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        if isinstance(error, FileNotFoundError):
            self._notices.add(Notice.VANISHED, self._path)
        elif isinstance(error, Replaced):
            self._notices.add(Notice.REPLACED, self._path)
        elif isinstance(error, OSError):
            refuse_unreadable(self._path, error)
        else:
            return False
        return True
