"""The stylesheet of every page: written in parts, and served as one, since requests cost more than bytes."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.timezone import get_default_timezone

NAME = "workflows_app/style.css"
PARTS = ("app.css", "lists.css", "run.css", "log.css", "config.css")
"""In this order: what comes later wins."""

_FOLDER = Path(settings.BASE_DIR) / "static"


class Stylesheet(Storage):
    """The one file ``NAME``, made of its parts in ``static/workflows_app/`` whenever it is read."""

    prefix = ""

    @property
    def location(self) -> str:
        """The folder of static files that its parts are in."""
        return str(_FOLDER)

    def exists(self, name: str) -> bool:
        """Whether it is the stylesheet."""
        return name == NAME

    def path(self, name: str) -> str:
        """Where its first part is."""
        return str(_parts()[0])

    def get_modified_time(self, name: str) -> datetime:
        """When the newest of its parts was changed."""
        newest = max(part.stat().st_mtime for part in _parts())
        return datetime.fromtimestamp(newest, get_default_timezone())

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        return ContentFile(b"\n".join(part.read_bytes() for part in _parts()), name)


class StylesheetFinder(BaseFinder):
    """Tells Django's static files of the stylesheet."""

    def check(self, **kwargs: Any) -> list[Any]:
        """There is nothing to set up wrongly."""
        return []

    def find(self, path: str, *args: Any, **kwargs: Any) -> list[str]:  # type: ignore[override]
        """Nowhere: it is no file before it is collected."""
        return []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """The stylesheet."""
        yield NAME, Stylesheet()


def _parts() -> list[Path]:
    return [_FOLDER / "workflows_app" / part for part in PARTS]
