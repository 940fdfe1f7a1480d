"""The pages' addresses."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from workflows_app.web.views import health, overview, profiles, restores, runs

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
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:number>/", runs.run_detail, name="run"),
    path("runs/<int:number>/cancel/", runs.cancel_run, name="cancel-run"),
    path("runs/<int:number>/log/<int:step>/<int:attempt>/", runs.earlier_lines, name="earlier-lines"),
    path("runs/<int:number>/result.json", runs.run_result, name="run-result"),
]
