"""What a run answers and says when its backup is there under its name."""

from workflows_app.domain.results import Backup, Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.listing import contents
from workflows_app.plugins.filesystem.manifest import Footer, Header
from workflows_app.plugins.wording import files_words


def made(context: PluginContext, header: Header, footer: Footer) -> Result:
    """Say that the backup is complete and verified, and answer it, from the ends of its manifest."""
    archive = "" if header.is_tree else f"archive {size_words(footer.size)}, "
    context.info(
        f"Backup {header.name} completed: {files_words(footer.files)}, {size_words(footer.bytes)}, "
        f"{archive}verified"
    )
    return Result(
        backup=Backup(
            name=header.name,
            timestamp=str(header.epoch),
            epoch=header.epoch,
            policy=header.policy,
            workflow_id=header.workflow_id,
            contents=contents(header.sources, footer.file, footer.size),
        )
    )
