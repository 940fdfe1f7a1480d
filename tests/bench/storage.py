"""``python -m tests.bench.storage``: one call of the storage plugin ``filesystem`` in a process of its own.

``backup SOURCE DESTINATION NUMBER FORMAT`` or ``restore DESTINATION TARGET NUMBER``; prints the seconds that
the call took, without the start of the interpreter, which a worker does once.
"""

import sys
import time

from workflows_app.domain.config import Config
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.plugin import plugin

EPOCH = 1_700_000_000


def backup(source: str, destination: str, number: str, form: str = "archive") -> None:
    """Back up a folder in a format of the plugin's, as run ``number``."""
    config = Config(profile_name="bench", config_name="tree")
    context = PluginContext(
        config=config.for_run(int(number), "daily", EPOCH + int(number)),
        parameters={"BackupSrcPaths": source, "BackupDestPath": destination, "Format": form},
        say=lambda level, text: None,
    )
    if plugin.backup(context).code:
        raise SystemExit("the backup failed")


def restore(destination: str, target: str, number: str) -> None:
    """Restore the backup of run ``number`` below ``target``."""
    config = Config(profile_name="bench", config_name="tree").for_run(90, "daily", EPOCH + 90, "restore")
    given = {"BackupDestPath": destination}
    found = plugin.backup_list(PluginContext(config=config, parameters=given, say=lambda level, text: None))
    chosen = next(one for one in found if one.workflow_id == number)
    context = PluginContext(
        config=config.model_copy(update={"backup": chosen}),
        parameters=given,
        say=lambda level, text: None,
        restore=RestoreRequest(target=target),
    )
    if plugin.restore(context).code:
        raise SystemExit("the restore failed")


if __name__ == "__main__":
    begun = time.perf_counter()
    {"backup": backup, "restore": restore}[sys.argv[1]](*sys.argv[2:])
    print(time.perf_counter() - begun)
