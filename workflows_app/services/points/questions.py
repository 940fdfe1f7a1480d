"""What is asked of the plugins, on a worker, about the restore points of a configuration."""

from asgiref.sync import sync_to_async
from django.db.models import Count, Max

from workflows_app.contracts.points import BrowseInput, CatalogueInput
from workflows_app.domain.config import Config
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.results import Archives, Backup, Backups
from workflows_app.models import Removal, Run
from workflows_app.services.temporal import looks
from workflows_app.workflows.catalogue import ArchivesWorkflow, CatalogueWorkflow
from workflows_app.workflows.restore_points import BrowseWorkflow

LOOK_SECONDS = 10.0


async def which_backups(config: Config) -> Backups:
    """Ask the storage plugin which backups exist. Raises as ``looks.ask``."""
    question = await _question(config, "catalogue", "backups")
    return await looks.ask(CatalogueWorkflow.run, CatalogueInput(config=config), question, LOOK_SECONDS)


async def which_archives(config: Config) -> Archives:
    """Ask the archive plugin which archives exist. Raises as ``looks.ask``."""
    question = await _question(config, "archives", "archives")
    return await looks.ask(ArchivesWorkflow.run, CatalogueInput(config=config), question, LOOK_SECONDS)


async def which_files(config: Config, backup: Backup, query: FileQuery) -> FileListing:
    """Ask the storage plugin for a page of the files in a backup. Raises as ``looks.ask``."""
    question = looks.Question(
        f"fossul-browse/{_place(config)}", f"Files of {backup.name}", f"what {backup.name} holds"
    )
    given = BrowseInput(config=config.model_copy(update={"backup": backup}), query=query)
    return await looks.ask(BrowseWorkflow.run, given, question, LOOK_SECONDS)


async def _question(config: Config, name: str, what: str) -> looks.Question:
    place, known = _place(config), await sync_to_async(_known)(config)
    return looks.Question(
        f"fossul-{name}/{place}", f"{what.capitalize()} of {place}", f"which {what} {place} has", known
    )


def _place(config: Config) -> str:
    return f"{config.profile_name}/{config.config_name}"


def _known(config: Config) -> str:
    """What is known beside the plugins: once it is more, a list that was begun before is not relied on."""
    of = {"profile": config.profile_name, "config": config.config_name}
    reported = Run.objects.filter(**of, progress__has_key="backup_name")
    removed = Removal.objects.filter(**of).order_by("pk")
    told = reported.aggregate(Count("pk"), Max("pk")), list(removed.values_list("pk", "time"))
    return str(told)
