"""Asking plugins, where the workers are, which backups and archives exist."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.points import CatalogueInput
    from workflows_app.domain import naming
    from workflows_app.domain.results import Archives, Backups


@workflow.defn(name=naming.CATALOGUE_WORKFLOW)
class CatalogueWorkflow:
    """One look at a configuration's backups. Takes no lock and changes nothing."""

    @workflow.run
    async def run(self, catalogue: CatalogueInput) -> Backups:
        """Answer what exists now; that it cannot be read is in ``Backups.result``."""
        backups: Backups = await workflow.execute_activity(
            naming.STORAGE_LIST,
            catalogue,
            result_type=Backups,
            summary="List backups",
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )
        return backups


@workflow.defn(name=naming.ARCHIVES_WORKFLOW)
class ArchivesWorkflow:
    """One look at a configuration's archives. Takes no lock and changes nothing."""

    @workflow.run
    async def run(self, catalogue: CatalogueInput) -> Archives:
        """Answer what exists now; that it cannot be read is in ``Archives.result``."""
        archives: Archives = await workflow.execute_activity(
            naming.ARCHIVE_LIST,
            catalogue,
            result_type=Archives,
            summary="List archives",
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )
        return archives
