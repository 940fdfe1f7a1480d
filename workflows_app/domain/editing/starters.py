"""Configurations to begin with: what most people want, with blanks for what only they know."""

from dataclasses import dataclass

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy

_POLICIES = (FilePolicy("daily", 7), FilePolicy("weekly", 4))
_JOB_RETENTION = 50


@dataclass(frozen=True, slots=True)
class Starter:
    """A beginning: its key in addresses, a title and a sentence for people, and what it sets."""

    key: str
    title: str
    words: str
    configuration: Configuration


STARTERS = (
    Starter(
        "files",
        "Files and folders",
        "Folders of the worker's machine become one verified archive for each backup.",
        Configuration(Config(storage_plugin="filesystem", job_retention=_JOB_RETENTION), _POLICIES),
    ),
    Starter(
        "postgresql",
        "A PostgreSQL database",
        "pg_dump makes a copy of the database, which becomes a verified archive. Nothing is frozen.",
        Configuration(
            Config(
                app_plugin="postgres-dump",
                storage_plugin="filesystem",
                auto_discovery=True,
                job_retention=_JOB_RETENTION,
            ),
            _POLICIES,
        ),
    ),
    Starter(
        "mariadb",
        "A MariaDB database",
        "mariadb-dump makes a copy of the database, which becomes a verified archive. Nothing is frozen.",
        Configuration(
            Config(
                app_plugin="mariadb-dump",
                storage_plugin="filesystem",
                auto_discovery=True,
                job_retention=_JOB_RETENTION,
            ),
            _POLICIES,
        ),
    ),
    Starter(
        "kubernetes",
        "A Kubernetes volume",
        "A VolumeSnapshot of a claim for each backup, made by the cluster's CSI driver.",
        Configuration(
            Config(
                storage_plugin="csi",
                # Names to fill in, also while no worker declares them; without a value they have no effect.
                storage_plugin_parameters=dict.fromkeys(("Namespace", "PvcNames", "SnapshotClass"), ""),
                access_within_cluster="false",
                job_retention=_JOB_RETENTION,
            ),
            _POLICIES,
        ),
    ),
    Starter(
        "empty",
        "Something else",
        "No plugin is chosen yet: choose the plugins, or write the commands, that your application needs.",
        Configuration(Config(job_retention=_JOB_RETENTION), _POLICIES),
    ),
)


def starter(key: str) -> Starter:
    """The starter of that key; the first one for an unknown key."""
    return next((known for known in STARTERS if known.key == key), STARTERS[0])
