"""The tables, gathered for Django."""

from workflows_app.models.audit import AuditEntry
from workflows_app.models.catalog import BackupConfig, Policy, Profile
from workflows_app.models.catalogues import Catalogue
from workflows_app.models.holds import Hold
from workflows_app.models.notifications import Channel, Delivery, Incident, NotifierTurn
from workflows_app.models.plugins import PluginRecord
from workflows_app.models.restore_points import Removal, Verification
from workflows_app.models.runs import Run, RunMessage
from workflows_app.models.schedules import ScheduleMove, ScheduleWatch
from workflows_app.models.versions import ConfigVersion

__all__ = [
    "AuditEntry",
    "BackupConfig",
    "Catalogue",
    "Channel",
    "ConfigVersion",
    "Delivery",
    "Hold",
    "Incident",
    "NotifierTurn",
    "PluginRecord",
    "Policy",
    "Profile",
    "Removal",
    "Run",
    "RunMessage",
    "ScheduleMove",
    "ScheduleWatch",
    "Verification",
]
