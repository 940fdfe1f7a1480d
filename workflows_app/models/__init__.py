"""The tables, gathered for Django."""

from workflows_app.models.audit import AuditEntry
from workflows_app.models.catalog import BackupConfig, Policy, Profile
from workflows_app.models.runs import Run, RunMessage

__all__ = ["AuditEntry", "BackupConfig", "Policy", "Profile", "Run", "RunMessage"]
