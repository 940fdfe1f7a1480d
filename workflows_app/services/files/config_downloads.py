"""Configurations as a download: an archive of the folder that Fossul and an import read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from workflows_app.domain.errors import NotFound, NotNow
from workflows_app.models import BackupConfig
from workflows_app.services.configurations.config_folder import MARKER
from workflows_app.services.files.config_archives import pack
from workflows_app.services.files.config_files import exported
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its name, and its content piece by piece."""

    name: str
    parts: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """A profile with its configurations, as somebody chooses what to download."""

    profile: str
    configs: tuple[str, ...]


def list_places(actor: Actor) -> tuple[Place, ...]:
    """Answer what can be downloaded, by name. Raises NotAllowed."""
    actor.require(Right.CONFIGURE)
    found: dict[str, list[str]] = {}
    names = BackupConfig.objects.order_by("profile__name", "name").values_list("profile__name", "name")
    for profile, name in names:
        found.setdefault(profile, []).append(name)
    return tuple(Place(profile, tuple(configs)) for profile, configs in found.items())


def download_configs(
    actor: Actor, profile: str = "", config: str = "", *, with_secrets: bool = False
) -> Download:
    """Answer an archive of all configurations, of a profile's, or of one; always the same for the same ones.

    Secrets are left out unless ``with_secrets``, which is noted in the audit. Raises NotAllowed; NotFound
    where there is none; NotNow, saying which, for a configuration that files cannot hold.
    """
    actor.require(Right.CONFIGURE)
    place = "/".join(filter(None, (profile, config)))
    texts, reports = exported(actor, profile, config, with_secrets=with_secrets)
    if not reports:
        raise NotFound(
            f"There is no configuration in {place}." if place else "There is no configuration yet."
        )
    refused = [f"{report.name}: {report.refused}" for report in reports if report.refused]
    if refused:
        raise NotNow(f"Files cannot hold every configuration as it is. {' '.join(refused)}")
    if not texts:
        raise NotFound(f"There is nothing to download: {reports[0].notes[0].why}.")
    if with_secrets:
        with transaction.atomic():
            for owner, _, name in (report.name.partition("/") for report in reports):
                if name:  # A profile's own file holds none.
                    audit.note(actor, Action.EXPORTED_SECRETS, owner, name)
    marker = json.dumps({"files": sorted(texts)}, indent=1) + "\n"
    files = {path: text.encode() for path, text in {**texts, MARKER: marker}.items()}
    file = "-".join(filter(None, ("fossul", profile, config, "with-secrets" if with_secrets else "")))
    return Download(f"{file}.zip", pack(files))
