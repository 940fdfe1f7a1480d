"""What the commands for configuration files print: a folder's report in plain text."""

from collections.abc import Iterable, Iterator

from workflows_app.domain.config_files.files import FileReport
from workflows_app.services.files.config_changes import Change

# A file that is none (an archive, say) has a note for every line.
_NOTES_SHOWN = 20


def file_lines(files: Iterable[FileReport], taken: str) -> Iterator[str]:
    """One line for each file, with what was ``taken`` (a word such as ``taken``), and one for each note."""
    files = tuple(files)
    width = max((len(file.name) for file in files), default=0)
    for file in files:
        if file.refused:
            yield f"{file.name:<{width}}  refused: {file.refused}"
        else:
            yield f"{file.name:<{width}}  {file.taken:>3} {taken}"
        notes = file.notes[:_NOTES_SHOWN]
        name = max((len(note.what) for note in notes), default=0)
        for note in notes:
            line = f"line {note.line}" if note.line else ""
            yield f"    {note.outcome:<7}  {note.what:<{name}}  {line:<9} {note.why}"
        if len(file.notes) > _NOTES_SHOWN:
            yield f"    and {len(file.notes) - _NOTES_SHOWN} more like these"


def change_lines(changes: Iterable[Change], *, diff: bool) -> Iterator[str]:
    """One line for each configuration, with what stays in it, and with ``diff`` its differences."""
    changes = tuple(changes)
    names = [f"{change.profile}/{change.config}".rstrip("/") for change in changes]
    width = max(map(len, names), default=0)
    for name, change in zip(names, changes, strict=True):
        yield f"{name:<{width}}  {change.effect}"
        yield from (f"    {remark}" for remark in change.remarks)
        if diff:
            yield from (f"    {line}" for line in change.lines)
