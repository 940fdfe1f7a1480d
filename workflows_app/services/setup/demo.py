"""The demo: a configuration that a person can run at once, with something real to back up."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from workflows_app.domain.config import Config
from workflows_app.models import BackupConfig, Profile
from workflows_app.services.configurations import versions
from workflows_app.services.people.permissions import command_line
from workflows_app.services.setup import sample_tree

PROFILE = "demo"
CONFIG = "files"
# So slow that a run of the sample files can be watched: five seconds or so.
BANDWIDTH = "10M"

# It takes its time for the same reason. A command's own output reaches the log line by line.
_STOCKTAKING = '''\
"""Says what lies in a folder, one line for each folder in it."""

import os
import sys
import time

source = sys.argv[1]
for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
    if entry.is_dir(follow_symlinks=False):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(entry.path) for name in names]
        size = sum(os.lstat(file).st_size for file in files)
        print(f"{entry.name}: {len(files)} files, {size / 2**20:.1f} MiB", flush=True)
        time.sleep(0.3)
'''


def install() -> bool:
    """Make the profile ``demo`` with the configuration ``files``, and the sample files that it backs up.

    Answers whether it did: not when there is any profile, nor when the path of the dashboard's folder has a
    comma, at which Fossul splits commands and paths (fossul-behaviour.md §6). Raises OSError.
    """
    folder = settings.FOSSUL_VAR_DIR / "demo"
    if Profile.objects.exists() or "," in f"{folder}{sys.executable}":
        return False
    program = folder / "bin" / "stocktaking.py"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_STOCKTAKING)
    (folder / "backups").mkdir(exist_ok=True)
    sample_tree.grow(folder / "source")
    content = config_settings(folder, program)
    Config.model_validate(content)
    with transaction.atomic():
        profile = Profile.objects.create(name=PROFILE, description="Something to try the dashboard with")
        config = BackupConfig.objects.create(
            profile=profile,
            name=CONFIG,
            description="Sample files of a small harbour office",
            settings=content,
        )
        config.policies.create(name="daily", keep_backups=5, position=0)
        config.policies.create(name="weekly", keep_backups=2, position=1)
        versions.keep(command_line("prepare"), config, "the demo")
    return True


def config_settings(folder: Path, program: Path) -> dict[str, Any]:
    """The configuration in Fossul's JSON keys; ``program`` is run for ``BackupCreateCmd``."""
    source = folder / "source"
    return {
        "appPlugin": "sample-app",
        "storagePlugin": "filesystem",
        "storagePluginParameters": {
            "BackupName": CONFIG,
            "BackupSrcPaths": str(source),
            "BackupDestPath": str(folder / "backups"),
            "BandwidthLimit": BANDWIDTH,
        },
        "preAppQuiesceCmd": "echo,Checking that the application answers",
        "postAppQuiesceCmd": "echo,Nothing is written from here on",
        "backupCreateCmd": f"{sys.executable},{program},{source}",
        "preAppUnquiesceCmd": "echo,The backup is made and verified",
        "postAppUnquiesceCmd": "echo,The application answers again",
        "jobRetention": 50,
    }
