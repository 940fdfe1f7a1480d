"""What tells a run from those of other dashboards on the same server."""

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
