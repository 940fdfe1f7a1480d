"""The Django application."""

from django.apps import AppConfig


class WorkflowsAppConfig(AppConfig):
    """Fossul's workflows: catalogue, runs, live pages."""

    name = "workflows_app"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from workflows_app import checks  # noqa: F401 - importing it registers them
