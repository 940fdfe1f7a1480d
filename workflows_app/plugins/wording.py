"""How paths, numbers of files and errors read in a message."""

import os

from workflows_app.domain.printable import printable


def shown(path: str) -> str:
    """A path on one line and in valid Unicode: other bytes and control characters are escaped (``\\xff``)."""
    return printable(os.fsencode(path).decode(errors="backslashreplace"))


def files_words(count: int) -> str:
    """A number of files: ``1 file``, ``400 files``."""
    return "1 file" if count == 1 else f"{count} files"


def reason_of(error: OSError) -> str:
    """What the operating system said, without the path that the message names itself."""
    return error.strerror or str(error)
