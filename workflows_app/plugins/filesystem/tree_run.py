"""Makes a backup in the format ``tree``: a folder of plain files and its manifest."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.disks import Disks
from workflows_app.plugins.filesystem.earlier import EarlierTree
from workflows_app.plugins.filesystem.landing import Landing
from workflows_app.plugins.filesystem.layout import TREE, Layout
from workflows_app.plugins.filesystem.leftovers import manifest_in
from workflows_app.plugins.filesystem.linking import Linking
from workflows_app.plugins.filesystem.manifest import (
    MANIFEST_SUFFIX,
    Footer,
    Header,
    ManifestBroken,
    ManifestWriter,
    read_ends,
    read_lines,
)
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.output import OutputFile, writing
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.reading import SourceReader
from workflows_app.plugins.filesystem.rolling import RollingShare
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.scanning import copying_progress, scanned_sources
from workflows_app.plugins.filesystem.selection import Selection
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.tree_copy import Copied, TreeCopy
from workflows_app.plugins.filesystem.tree_verify import verify_tree
from workflows_app.plugins.filesystem.write_out import WriteOut
from workflows_app.plugins.wording import files_words, reason_of, shown

_EVERY_FILE = RollingShare(0, 100)


class TreeRun:
    """Fills one partial ``folder``: looks, links or copies, verifies.

    ``before`` is the folder of the last good tree, ``leftover`` what an interrupted run left; None for none.
    """

    def __init__(
        self,
        context: PluginContext,
        parameters: Parameters,
        selection: Selection,
        layout: Layout,
        folder: Path,
        before: Path | None,
        leftover: Path | None,
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._selection = selection
        self._layout = layout
        self._folder = folder
        self._before = before
        self._leftover = leftover
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"
        self._notices = Notices(context.warn)

    def make(self, header: Header) -> Footer:
        """Write the tree and the manifest, and answer its last line, which has been verified."""
        context, selection = self._context, self._selection
        with ExitStack() as stack:
            stack.enter_context(writing(self._folder))
            scanned = stack.enter_context(
                scanned_sources(context, header.sources, selection, self._folder, self._notices)
            )
            earlier, checked = self._earlier(stack)
            done = self._copy(replace(header, checked=checked), scanned, earlier)
        self._notices.close()
        context.info(
            f"Copied {files_words(done.copied_files)}, {size_words(done.copied_bytes)}; "
            f"{files_words(done.linked_files)}, {size_words(done.bytes - done.copied_bytes)} did not change "
            "and were there already"
        )
        return self._verify(done)

    def _earlier(self, stack: ExitStack) -> tuple[list[EarlierTree], int]:
        """The trees to take from, closed with ``stack``, and where the next run's check begins."""
        trees: list[EarlierTree] = []
        if self._leftover is not None and (manifest := manifest_in(self._leftover)) is not None:
            # One that did not get as far as a first line has nothing to take.
            with suppress(ManifestBroken, OSError):
                tree = EarlierTree(self._leftover, manifest, _EVERY_FILE, Notice.LOST)
                trees.append(stack.enter_context(closing(tree)))
        share = RollingShare(0, self._layout.checked)
        if self._before is not None:
            manifest = self._before / f"{self._before.name}{MANIFEST_SUFFIX}"
            try:
                read_lines(manifest, self._context.check_cancelled)
                share = RollingShare(read_ends(manifest)[0].checked, self._layout.checked)
                trees.append(stack.enter_context(closing(EarlierTree(self._before, manifest, share))))
            except (ManifestBroken, OSError) as error:
                why = reason_of(error) if isinstance(error, OSError) else str(error)
                self._context.warn(
                    f"The manifest of the backup before, {shown(self._before.name)}, cannot be used: {why}. "
                    "Everything is copied anew; verify that backup"
                )
        return trees, share.next_first

    def _copy(self, header: Header, scanned: Sequence[Scanned], earlier: Sequence[EarlierTree]) -> Copied:
        """Write the tree and have it on disk."""
        check_cancelled = self._context.check_cancelled
        progress = copying_progress(self._context, scanned)
        reader = SourceReader(Throttle(self._parameters.bandwidth), progress, check_cancelled)
        root = self._folder / TREE
        with (
            closing(OutputFile(self._manifest)) as lines,
            closing(_landing(root)) as landing,
            closing(WriteOut()) as write_out,
        ):
            manifest = ManifestWriter(lines, header)
            manifest.flush()
            linking = Linking(
                earlier, landing, self._folder, self._layout.unchanged, self._notices, check_cancelled
            )
            copy = TreeCopy(
                root,
                landing,
                linking,
                manifest,
                self._notices,
                progress,
                reader,
                write_out,
                check_cancelled,
            )
            try:
                for source in scanned:
                    copy.copy(source)
            except BaseException:
                # What is complete can be taken over by the next run as far as the lines go.
                with suppress(PluginFailed):
                    manifest.flush()
                raise
            progress.tell()
            check_cancelled()
            manifest.finish(Footer(TREE, copy.done.bytes, "", copy.done.files, copy.done.bytes))
            lines.sync()
            lines.forget()
        self._sync()
        return copy.done

    def _sync(self) -> None:
        """Have everything on disk, in one go: a wait for each file would take hours."""
        with writing(self._folder), closing(Disks()) as disks:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                disks.note(descriptor, os.fstat(descriptor).st_dev)
                disks.sync()
            finally:
                os.close(descriptor)

    def _verify(self, done: Copied) -> Footer:
        """Read back from disk what was copied. Answers what was verified."""
        self._context.info(
            f"Verifying what was copied: {files_words(done.copied_files)}, {size_words(done.copied_bytes)}"
        )
        progress = Progress(self._context.report, "verifying", done.copied_bytes, done.copied_files)
        advance = progress.cancellable(self._context.check_cancelled)
        footer = verify_tree(
            self._folder / TREE, self._manifest, advance, lambda member, kept: not kept.linked
        )
        progress.tell()
        return footer


def _landing(root: Path) -> Landing:
    """The tree in the making. Nothing in it has attributes of its own."""
    return Landing(str(root), "", lambda folder, member: None)


def last_tree(folder: Path, names: Sequence[str]) -> Path | None:
    """The last of the backups ``names``, the oldest first, that is a tree. Raises PluginFailed."""
    for name in reversed(names):
        try:
            if read_ends(folder / name / f"{name}{MANIFEST_SUFFIX}")[0].is_tree:
                return folder / name
        except (ManifestBroken, FileNotFoundError):
            continue
        except OSError as error:
            raise PluginFailed(
                f"Cannot read the manifest of the backup {shown(name)}: {reason_of(error)}. Look at "
                "BackupDestPath"
            ) from error
    return None
