"""By what a run is known to a server, also to one that several dashboards use."""

import hashlib

from workflows_app.domain.config import Config


def run_digest(config: Config) -> str:
    """Twelve digits, the same in all steps of a run, and others for another dashboard's run of its number."""
    run = (
        config.profile_name,
        config.config_name,
        config.workflow_type,
        config.workflow_id,
        str(config.workflow_timestamp),
    )
    return hashlib.sha256(repr(run).encode()).hexdigest()[:12]


def run_name(config: Config) -> str:
    """The name under which a run's sessions are known to a server, the same in all its steps."""
    return f"fossul run {config.workflow_id} {run_digest(config)}"
