"""What a source loses or replaces while it is copied: it is noticed, and ends nothing."""

from collections.abc import Callable, Iterator
from types import TracebackType

from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.reading import Replaced, refuse_unreadable
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.walk import Entry, walk


def present(scanned: Scanned, notices: Notices, check_cancelled: Callable[[], None]) -> Iterator[Entry]:
    """All that is in a source now and can be kept, in the order of the walk.

    What the scan saw and is not there any more is noticed. Raises PluginFailed for a folder that cannot be
    read, and what ``check_cancelled`` raises.
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
