"""The pages' addresses."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from workflows_app.web.views import audit, control, health, logs, overview, plans, profiles, restores, runs

urlpatterns = [
    path("", overview.overview, name="overview"),
    path(
        "login/",
        LoginView.as_view(template_name="workflows_app/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("health", health.health_check, name="health"),
    path("profiles/", profiles.profile_list, name="profiles"),
    path("profiles/<str:profile>/", profiles.profile_detail, name="profile"),
    path("profiles/<str:profile>/<str:config>/", profiles.config_detail, name="config"),
    path("profiles/<str:profile>/<str:config>/<str:policy>/run/", profiles.start_backup, name="start-backup"),
    path(
        "profiles/<str:profile>/<str:config>/restore-points/", restores.restore_points, name="restore-points"
    ),
    path("profiles/<str:profile>/<str:config>/restore/<str:backup>/", restores.restore, name="restore"),
    path("profiles/<str:profile>/<str:config>/plan/", plans.plan_editor, name="plan"),
    path("audit/", audit.audit_list, name="audit"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:number>/", runs.run_detail, name="run"),
    path("runs/<int:number>/cancel/", control.cancel_run, name="cancel-run"),
    path("runs/<int:number>/terminate/", control.terminate_run, name="terminate-run"),
    path("runs/<int:number>/retry/", control.retry_step, name="retry-step"),
    path("runs/<int:number>/skip/", control.skip_step, name="skip-step"),
    path("runs/<int:number>/abort/", control.abort_run, name="abort-run"),
    path("runs/<int:number>/thaw/", control.thaw_run, name="thaw-run"),
    path("runs/<int:number>/resume/", control.resume_backup, name="resume-backup"),
    path("runs/<int:number>/log/", logs.search_log, name="log-search"),
    path("runs/<int:number>/log/<int:step>/<int:attempt>/", logs.log_window, name="log-window"),
    path("runs/<int:number>/log/<int:step>/<int:attempt>/<int:seq>/", logs.log_line, name="log-line"),
    path("runs/<int:number>/log.txt", logs.log_text, name="log-text"),
    path("runs/<int:number>/log.ndjson", logs.log_ndjson, name="log-ndjson"),
    path("runs/<int:number>/result.json", runs.run_result, name="run-result"),
]
