"""Which file a command's first word means, decided as Go's ``os/exec`` decides it."""

import os


class NotExecutable(Exception):
    """There is nothing to execute; the text is Go's."""


def find_executable(name: str, path: str) -> str:
    """Answer the path of the program ``name``, looked up in ``path`` (as in ``$PATH``) unless it has a ``/``.

    A name with a ``/`` is answered as it is: whether it can be run shows when it is run. Raises
    NotExecutable for an empty name, for one that is not found, and for one that would be found in a
    relative folder: a program must not depend on where the worker happens to stand.
    """
    if not name:
        raise NotExecutable("exec: no command")
    if "/" in name:
        return name
    if "\0" not in name:
        for folder in path.split(":") if path else ():
            candidate = os.path.join(folder or ".", name)  # noqa: PTH118 - Path would drop the "./"
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):  # noqa: PTH113
                if os.path.isabs(candidate):  # noqa: PTH117
                    return candidate
                raise NotExecutable(
                    f"exec: {_quoted(name)}: cannot run executable found relative to current directory"
                )
    raise NotExecutable(f"exec: {_quoted(name)}: executable file not found in $PATH")


def _quoted(text: str) -> str:
    """Text in double quotes, escaped where Go's ``%q`` would for everything that turns up in a name."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped) + '"'
