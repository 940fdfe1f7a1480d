"""What a source loses or replaces while it is copied: it is noticed, and ends nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def noticing(path: str, notices: Notices) -> Iterator[None]:
    """Notice when what is at ``path`` vanishes or is replaced while the block copies it, which then ends.

    Raises PluginFailed when it cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        notices.add(Notice.VANISHED, path)
    except Replaced:
        notices.add(Notice.REPLACED, path)
    except OSError as error:
        refuse_unreadable(path, error)
