"""The archive plugins ``s3`` and ``aws``: verified copies of backups in a bucket, of AWS or any other S3.

``aws`` is Fossul's name (§7.7): the same plugin, which creates a bucket that does not exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Archive, PluginInfo, Result, capabilities
from workflows_app.plugins.archiving.archive import archive_backup
from workflows_app.plugins.archiving.fetch import fetch_backup
from workflows_app.plugins.archiving.retention import delete_expired_archives
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.s3.check import check
from workflows_app.plugins.s3.client import client_of
from workflows_app.plugins.s3.parameters import Parameters, specs
from workflows_app.plugins.s3.shelf import BucketShelf


class S3Archive:
    """An archive plugin that copies backups to a bucket."""

    def __init__(self, name: str, create_bucket: bool) -> None:
        self._name = name
        self._create_bucket = create_bucket

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name=self._name,
            description="Copies backups to a bucket of AWS or any other S3, verified, and brings them back",
            version="1.0.0",
            type="archive",
            capabilities=capabilities(
                "archive", "archiveList", "archiveDelete", "archiveFetch", HOLDS, KEEP_RULES, "info"
            ),
            parameters=specs(self._create_bucket),
        )

    def archive(self, context: PluginContext) -> Result:
        """Copy the run's backup and hold the copy against it. Raises as ``archive_backup``."""
        with self._shelf(context) as shelf:
            shelf.prepare()
            return archive_backup(context, shelf)

    def archive_list(self, context: PluginContext) -> tuple[Archive, ...]:
        """The complete archives of the configuration, the oldest first."""
        with self._shelf(context) as shelf:
            return shelf.archives()

    def archive_delete(self, context: PluginContext) -> Result:
        """Delete the archives that the run's policy no longer keeps (see ``delete_expired_archives``)."""
        with self._shelf(context) as shelf:
            return delete_expired_archives(context, shelf)

    def fetch(self, context: PluginContext, name: str) -> Result:
        """Bring a backup back to the storage. Raises as ``fetch_backup``."""
        with self._shelf(context) as shelf:
            return fetch_backup(context, shelf, name)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what an archive will need (see ``check``)."""
        return check(context, create_bucket=self._create_bucket)

    @contextmanager
    def _shelf(self, context: PluginContext) -> Iterator[BucketShelf]:
        parameters = Parameters.of(context, self._create_bucket)
        with client_of(parameters, context.check_cancelled) as client:
            yield BucketShelf(context, parameters, client)


plugin = S3Archive("s3", create_bucket=False)
fossul_plugin = S3Archive("aws", create_bucket=True)
