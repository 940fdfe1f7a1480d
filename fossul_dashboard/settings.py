"""All settings: from the environment, with defaults that are safe on one machine (README, Configuring)."""

from contextlib import suppress
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF

from fossul_dashboard.env import env_bool, env_int, env_list, env_secret, env_str

BASE_DIR = Path(__file__).resolve().parent.parent
FOSSUL_VAR_DIR = Path(env_str("FOSSUL_VAR_DIR", str(BASE_DIR / "var"))).absolute()

HOST = env_str("HOST", "127.0.0.1")
PORT = env_int("PORT", 8000, least=1)
DEBUG = env_bool("FOSSUL_DEBUG", False)

# `manage.py prepare` writes the file once; Django refuses to sign anything with an empty key.
_SECRET_KEY_FILE = FOSSUL_VAR_DIR / "secret_key"
SECRET_KEY = env_secret("FOSSUL_SECRET_KEY")
if not SECRET_KEY:
    # One that is missing, or not ours to read, is for `prepare` to tell of.
    with suppress(OSError):
        SECRET_KEY = _SECRET_KEY_FILE.read_text().strip()

# Seals the secrets of configurations: the first key seals, all of them open. `prepare` writes the file once.
FOSSUL_SECRETS_KEYS = [key.strip() for key in env_secret("FOSSUL_SECRETS_KEY").split(",") if key.strip()]
if not FOSSUL_SECRETS_KEYS:
    with suppress(OSError):
        FOSSUL_SECRETS_KEYS = [(FOSSUL_VAR_DIR / "secrets_key").read_text().strip()]
FOSSUL_SECRET_DIRS = env_list("FOSSUL_SECRET_DIRS", ["/run/secrets"])

ALLOWED_HOSTS = env_list("FOSSUL_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
if HOST not in ("0.0.0.0", "::") and HOST not in ALLOWED_HOSTS:  # noqa: S104
    ALLOWED_HOSTS.append(f"[{HOST}]" if ":" in HOST else HOST)
CSRF_TRUSTED_ORIGINS = env_list("FOSSUL_TRUSTED_ORIGINS", [])

# Behind a proxy that ends TLS, this makes cookies and redirects https-only.
FOSSUL_HTTPS = env_bool("FOSSUL_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = FOSSUL_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if FOSSUL_HTTPS else 0
if FOSSUL_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "lucide",
    "csp",
    "workflows_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "workflows_app.web.middleware.page_budget.PageBudget",
]

ROOT_URLCONF = "fossul_dashboard.urls"
ASGI_APPLICATION = "fossul_dashboard.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workflows_app.web.context.page",
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "lucide.templatetags.lucide",
                "workflows_app.web.templatetags.fossul",
            ],
        },
    }
]

DATABASES = {
    "default": dj_database_url.parse(
        env_secret("DATABASE_URL") or f"sqlite:///{FOSSUL_VAR_DIR / 'fossul.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, readers never wait (architecture.md §3.4).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
# A folder of configurations is uploaded file by file.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = FOSSUL_VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "workflows_app.services.setup.stylesheet.StylesheetFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}

TEMPORAL_ADDRESS = env_str("TEMPORAL_ADDRESS", "127.0.0.1:7233")
TEMPORAL_NAMESPACE = env_str("TEMPORAL_NAMESPACE", "default")
TEMPORAL_TASK_QUEUE = env_str("FOSSUL_TASK_QUEUE", "fossul")
FOSSUL_DEMO = env_bool("FOSSUL_DEMO", True)
FOSSUL_ADMIN_PASSWORD = env_secret("FOSSUL_ADMIN_PASSWORD")
FOSSUL_WORKER_ACTIVITIES = env_int("FOSSUL_WORKER_ACTIVITIES", 20, least=1)
# What pages ask at once, e.g. which restore points there are: beside the steps, so that a storage that hangs
# holds up no backup.
FOSSUL_WORKER_QUESTIONS = env_int("FOSSUL_WORKER_QUESTIONS", 8, least=1)
FOSSUL_WORKER_GRACE_SECONDS = env_int("FOSSUL_WORKER_GRACE_SECONDS", 600)
# Tests of configurations at once, of all people: each takes up to four of the workers' steps.
FOSSUL_TESTS_AT_ONCE = env_int("FOSSUL_TESTS_AT_ONCE", 4, least=1)
# What one page asks of Temporal, together.
FOSSUL_PAGE_SECONDS = env_int("FOSSUL_PAGE_SECONDS", 2, least=1)
# Where the worker finds executable plugins: <folder>/app, <folder>/storage, <folder>/archive.
FOSSUL_PLUGIN_DIRS = [Path(folder) for folder in env_list("FOSSUL_PLUGIN_DIRS", [])]

# Where people find the dashboard, for the links in notices; by default where this machine serves it.
FOSSUL_URL = env_str("FOSSUL_URL")
# The web server's port, told by the supervisor to processes that have another PORT.
FOSSUL_WEB_PORT = env_int("FOSSUL_WEB_PORT", PORT, least=1)
FOSSUL_NOTIFY_REMIND_HOURS = env_int("FOSSUL_NOTIFY_REMIND_HOURS", 24, least=1)
# What people are to be told of within so many seconds after a message waits to be one; 0: nothing waits.
FOSSUL_NOTIFY_WINDOW_SECONDS = env_int("FOSSUL_NOTIFY_WINDOW_SECONDS", 60)
# Addresses and networks that notices may go to although they are link-local or a cloud's own.
FOSSUL_NOTIFY_ALLOW = env_list("FOSSUL_NOTIFY_ALLOW", [])

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env_str("FOSSUL_LOG_LEVEL", "INFO")},
}
