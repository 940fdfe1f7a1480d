"""Versions of configurations: each change kept, with who made it and when, and shown without secrets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Paginator

from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.config_files.display import changes
from workflows_app.domain.errors import NotFound, Outdated
from workflows_app.models import BackupConfig, ConfigVersion
from workflows_app.models.stored_configs import find_config
from workflows_app.services.configurations import plugins
from workflows_app.services.configurations.config_rows import Content, configuration_in, content_of
from workflows_app.services.people.permissions import Actor, Right

PER_PAGE = 20
CLOCKS_DIFFER = timedelta(seconds=5)
"""A worker's clock, which says when a scheduled run began, may be that much behind."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its history shows it. ``lines`` are what it changed, as a unified diff without secrets."""

    number: int
    author: str
    time: datetime
    reason: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One page of a configuration's versions, the newest first; ``current`` is the number of the newest."""

    versions: tuple[Version, ...]
    current: int
    page: int
    pages: int


def keep(actor: Actor, row: BackupConfig, reason: str) -> int:
    """Keep what a configuration is now as its next version; answer the number.

    To be called in the transaction that made the change.
    """
    # Anew: what was prefetched may be older than the change.
    now = BackupConfig.objects.get(pk=row.pk)
    row.version = now.version + 1
    ConfigVersion.objects.create(
        config=row, number=row.version, author=actor.name, reason=reason, content=content_of(now)
    )
    BackupConfig.objects.filter(pk=row.pk).update(version=row.version)
    return row.version


def refuse_outdated(row: BackupConfig, opened: int) -> None:
    """Refuse a change that was begun at version ``opened`` when there is a newer one. Raises Outdated."""
    if opened != row.version:
        newest = row.versions.first()
        raise Outdated(opened, row.version, newest.author if newest else "")


def list_versions(actor: Actor, profile: str, name: str, page: int = 1, holding: int = 0) -> VersionPage:
    """Answer a configuration's versions, each with what it changed. A page beyond the last is the last.

    ``holding`` is the number of a version whose page is wanted, 0 for none.

    Raises NotAllowed; NotFound; SealBroken.
    """
    actor.require(Right.VIEW)
    row = find_config(profile, name)
    if 0 < holding <= row.version:
        page = (row.version - holding) // PER_PAGE + 1
    found = Paginator(row.versions.all(), PER_PAGE).get_page(page)
    shown = list(found)
    before = {version.number: version for version in row.versions.filter(number__in=_predecessors(shown))}
    declared = plugins.declared_secrets()
    return VersionPage(
        versions=tuple(_version(v, before.get(v.number - 1), declared) for v in shown),
        current=row.version,
        page=found.number,
        pages=found.paginator.num_pages,
    )


def is_kept(profile: str, name: str, number: int, used: datetime) -> bool:
    """Whether a configuration still has the version ``number`` that a run of it used at ``used``.

    One that was deleted and made anew counts its versions anew: those that are younger than the run are not
    what it was given.
    """
    versions = ConfigVersion.objects.filter(config__profile__name=profile, config__name=name, number=number)
    return versions.filter(time__lte=used + CLOCKS_DIFFER).exists()


def content_at(profile: str, name: str, number: int) -> Content:
    """Answer what a version keeps. Raises NotFound."""
    version = find_config(profile, name).versions.filter(number=number).first()
    if version is None:
        raise NotFound(f"{profile}/{name} has no version {number}.")
    content: Content = version.content
    return content


def content_changes(
    old: Content, new: Content, labels: tuple[str, str], declared: Collection[str]
) -> tuple[str, ...]:
    """Answer what turns one content into another, as lines without secrets. Raises SealBroken."""
    one, other = ((c["description"], configuration_in(c)) for c in (old, new))
    return text_changes(one, other, labels, declared)


def text_changes(
    old: tuple[str, Configuration],
    new: tuple[str, Configuration],
    labels: tuple[str, str],
    declared: Collection[str],
) -> tuple[str, ...]:
    """Answer what turns one description and configuration into another, as lines without secrets."""
    lines = changes(old[1], new[1], labels, declared)
    if old[0] != new[0]:
        lines = (f"-description: {old[0]}", f"+description: {new[0]}", *lines)
    return lines


def _version(version: ConfigVersion, before: ConfigVersion | None, declared: Collection[str]) -> Version:
    lines: tuple[str, ...] = ()
    if before is not None:
        labels = (f"version {before.number}", f"version {version.number}")
        lines = content_changes(before.content, version.content, labels, declared)
    return Version(version.number, version.author, version.time, version.reason, lines)


def _predecessors(versions: Collection[ConfigVersion]) -> list[int]:
    return [version.number - 1 for version in versions]
