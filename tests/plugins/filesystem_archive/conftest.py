"""The backups to archive come from the tests of the storage plugin."""

from tests.plugins.filesystem.conftest import open_storage, storage

__all__ = ["open_storage", "storage"]
