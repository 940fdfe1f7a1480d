"""The static files as they are served: gathered, compressed and named by their content."""

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

FINGERPRINT = "static.sha256"


def collect() -> bool:
    """Gather the static files into STATIC_ROOT when they are not those that were gathered last.

    Answers whether there was anything to do. Raises OSError.
    """
    root, mark = Path(settings.STATIC_ROOT), settings.FOSSUL_VAR_DIR / FINGERPRINT
    fingerprint = _fingerprint()
    if root.is_dir() and mark.is_file() and mark.read_text() == fingerprint:
        return False
    mark.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=root.is_dir(), verbosity=0)
    mark.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    """A digest of every source file's path and content, and of what the outcome depends on besides."""
    digest = hashlib.sha256(f"{django.__version__} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            with storage.open(path) as file:
                digest.update(f"\0{path}\0".encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()
