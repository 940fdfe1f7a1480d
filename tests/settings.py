"""The settings of the tests: nothing of the caller's environment, everything in a temporary folder."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# A developer's own configuration, his database above all, is not for tests.
for _name in list(os.environ):
    if _name.startswith(("FOSSUL_", "TEMPORAL_", "DATABASE_URL")) or _name in ("HOST", "PORT"):
        del os.environ[_name]

_VAR_DIR = Path(tempfile.mkdtemp(prefix="fossul-tests-"))
atexit.register(shutil.rmtree, _VAR_DIR, ignore_errors=True)
os.environ["FOSSUL_VAR_DIR"] = str(_VAR_DIR)

from fossul_dashboard.settings import *  # noqa: E402, F403
from fossul_dashboard.settings import DATABASES, STORAGES  # noqa: E402

SECRET_KEY = "for tests alone"
FOSSUL_ADMIN_PASSWORD = ""
FOSSUL_DEMO = True
# The machine of the tests may be busy; ``tests/web/test_hanging_temporal.py`` has its own.
FOSSUL_PAGE_SECONDS = 10

# A file, not memory: workers' threads and the asynchronous ORM have connections of their own.
DATABASES["default"]["TEST"] = {"NAME": str(_VAR_DIR / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Static files are served from where they lie: nothing was gathered.
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False
FOSSUL_SECRETS_KEYS = ["the key of the tests"]
