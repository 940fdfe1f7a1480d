"""What the method ``hold`` refuses: storage that copies file by file."""

from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid

_FILE_BY_FILE = frozenset({"filesystem", "restic", "tar", "container-basic"})


def refuse_copying(config: Config) -> None:
    """Raise ConfigInvalid for a storage plugin that is known to read one file after the other.

    InnoDB goes on writing its files in the background under any lock; such a copy is of no one moment.
    """
    if config.storage_plugin in _FILE_BY_FILE:
        raise ConfigInvalid(
            "MysqlMethod",
            f"'hold' needs an atomic snapshot, and the storage plugin {config.storage_plugin!r} copies file "
            "by file, while InnoDB goes on writing in the background: use the storage plugin csi, or the "
            "method 'copy'",
        )
