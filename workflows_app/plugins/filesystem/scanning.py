"""The first phase of a backup: looks at all sources, and says what is to be backed up."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.notices import Notices
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.scan import Scan, Scanned
from workflows_app.plugins.filesystem.selection import Selection, SourceRules
from workflows_app.plugins.wording import files_words, shown


@contextmanager
def scanned_sources(
    context: PluginContext, sources: Sequence[str], selection: Selection, folder: Path, notices: Notices
) -> Iterator[list[Scanned]]:
    """What is in the sources, in their order; their names are remembered in ``folder`` until the block ends.

    Raises PluginFailed for what cannot be read, Cancelled, and OSError when ``folder`` is full.
    """
    progress = Progress(context.report, "scanning")
    scan = Scan(folder, notices, progress, context.check_cancelled)
    with ExitStack() as stack:
        found = []
        for source in sources:
            rules = SourceRules(source, selection, context.check_cancelled)
            scanned = scan.look(source, rules)
            stack.callback(scanned.names.close)
            found.append(scanned)
            rules.tell(context.info)
        progress.tell()
        scan.unreadable.refuse()
        for scanned in found:
            context.info(
                f"Backing up {files_words(scanned.files)}, {size_words(scanned.bytes)} from "
                f"{shown(scanned.source)}"
            )
        yield found


def copying_progress(context: PluginContext, scanned: Sequence[Scanned]) -> Progress:
    """The progress of copying what was scanned, which is told at each tenth."""
    return Progress(
        context.report,
        "copying",
        sum(source.bytes for source in scanned),
        sum(source.files for source in scanned),
        context.info,
    )
