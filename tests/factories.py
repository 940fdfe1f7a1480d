"""Plain functions that make what tests need, with defaults."""

from datetime import UTC, datetime
from uuid import uuid4

from workflows_app.domain.config import Config
from workflows_app.domain.naming import run_workflow_id
from workflows_app.models import BackupConfig, Policy, Profile, Run
from workflows_app.services.people.permissions import GROUP_RIGHTS, Actor

OPERATOR = Actor("olga", GROUP_RIGHTS["operator"])
ADMIN = Actor("ada", GROUP_RIGHTS["admin"])
VIEWER = Actor("vera", GROUP_RIGHTS["viewer"])

EVERY_STEP = {
    "appPlugin": "sample-app",
    "storagePlugin": "sample-storage",
    "archivePlugin": "sample-archive",
    "autoDiscovery": True,
    "jobRetention": 50,
    "preAppQuiesceCmd": "echo,pre quiesce",
    "appQuiesceCmd": "echo,quiesce",
    "postAppQuiesceCmd": "echo,post quiesce",
    "backupCreateCmd": "echo,backup",
    "preAppUnquiesceCmd": "echo,pre unquiesce",
    "appUnquiesceCmd": "echo,unquiesce",
    "postAppUnquiesceCmd": "echo,post unquiesce",
    "archiveCreateCmd": "echo,archive",
    "archiveDeleteCmd": "echo,archive retention",
    "backupDeleteCmd": "echo,backup retention",
    "sendTrapSuccessCmd": "echo,it went well",
    "sendTrapErrorCmd": "echo,it went wrong",
}
"""A configuration with each of the 21 steps of a backup (fossul-behaviour.md §3)."""


def make_config(**changes: object) -> Config:
    """A consolidated configuration with every step; ``changes`` by Fossul's JSON keys."""
    config = Config.model_validate(
        {
            "profileName": "test",
            "configName": f"app-{uuid4().hex[:8]}",
            "backupRetentions": [{"policy": "daily", "retentionNumber": 5}],
            **EVERY_STEP,
            **changes,
        }
    )
    return config.for_run(7, "daily", 1_700_000_000)


def make_catalog(profile: str = "", name: str = "", **settings: object) -> BackupConfig:
    """A stored configuration with the policies ``daily`` (keep 5) and ``weekly`` (keep 2)."""
    owner, _ = Profile.objects.get_or_create(name=profile or f"p-{uuid4().hex[:8]}")
    config = BackupConfig.objects.create(
        profile=owner, name=name or f"c-{uuid4().hex[:8]}", settings=settings or EVERY_STEP
    )
    Policy.objects.create(config=config, name="daily", keep_backups=5, position=1)
    Policy.objects.create(config=config, name="weekly", keep_backups=2, position=2)
    return config


def make_run(**changes: object) -> Run:
    """A stored run, open unless told otherwise."""
    given = {
        "profile": "test",
        "config": f"app-{uuid4().hex[:8]}",
        "policy": "daily",
        "requested_by": "olga",
        "started": datetime.now(UTC),
        "run_id": str(uuid4()),
        **changes,
    }
    given.setdefault("workflow_id", run_workflow_id(str(given["profile"]), str(given["config"])))
    return Run.objects.create(**given)
