"""Archives the backup of a run: copied as a whole, held against its manifest, listed only when complete."""

from tempfile import TemporaryFile

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.archiving.record import RecordWriter
from workflows_app.plugins.archiving.shelf import Shelf
from workflows_app.plugins.archiving.source import Source
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.wording import files_words, shown


def archive_backup(context: PluginContext, shelf: Shelf) -> Result:
    """Copy the run's backup to ``shelf``.

    What an interrupted archive left there is removed before, with a warning. Raises ConfigInvalid,
    PluginFailed, or Cancelled; then nothing of the copy is in any list.
    """
    source = Source.of(context)
    context.info("Performing archive")
    context.info(f"Archive name is {source.name}, Archive path is {shown(shelf.where)}")
    remove_leftovers(context, shelf)
    size, files = source.measure(context.check_cancelled)
    progress = Progress(context.report, "archiving", size, files, context.info, "Archived")
    advance = progress.cancellable(context.check_cancelled)
    with shelf.put(source.name) as parcel, TemporaryFile() as lines:
        record = RecordWriter(lines, source)
        for entry in source.entries():
            context.check_cancelled()
            if entry.is_folder:
                parcel.add_folder(entry.path)
                record.add_folder(entry.path)
                continue
            sums = parcel.add_file(entry, advance)
            source.hold_against_manifest(entry.path, sums)
            if sums.size != entry.size:
                raise PluginFailed(
                    f"{shown(str(entry.full))} changed while it was archived: something else writes to the "
                    "backup. Run the backup again"
                )
            record.add_file(entry.path, sums)
            progress.advance(files=1)
        progress.tell()
        context.check_cancelled()
        record.finish()
        parcel.publish(lines)
    context.info(
        f"Archive {source.name} completed: {files_words(record.files)}, {size_words(record.bytes)}, verified"
    )
    return Result()


def remove_leftovers(context: PluginContext, shelf: Shelf) -> None:
    """Remove what interrupted archives and deletions left behind. Raises PluginFailed."""
    for name in shelf.leftovers():
        context.check_cancelled()
        context.warn(f"Removing what an interrupted archive or deletion left of archive {shown(name)}")
        shelf.clear(name)
