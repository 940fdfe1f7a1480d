"""Secrets of configurations: sealed where they are stored, opened only to be compared or exported."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from workflows_app.domain.config_files.secrets import is_secret
from workflows_app.domain.errors import FossulError
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.domain.secrets.sealing import SealBroken, Seals
from workflows_app.models import BackupConfig, Channel, ConfigVersion
from workflows_app.services.people.permissions import Actor, Right

_PARAMETERS = ("appPluginParameters", "storagePluginParameters", "archivePluginParameters")


def sealed_settings(
    given: Mapping[str, Any], secret: Callable[[str, str], bool] = is_secret
) -> dict[str, Any]:
    """Answer a configuration's settings (Fossul's JSON keys) with the secret ones of its parameters sealed.

    ``secret`` says of a parameter's name and value whether it is one. Raises FossulError without a key.
    """

    def seal(name: str, value: str) -> str:
        return _seals().seal(value) if value and not is_sealed(value) and secret(name, value) else value

    return _with_parameters(given, seal)


def _sealed_anew(given: Mapping[str, Any]) -> dict[str, Any]:
    return _with_parameters(
        sealed_settings(given), lambda _, value: _seals().seal(value) if is_sealed(value) else value
    )


def opened_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a configuration's settings with its secrets opened. Raises SealBroken."""
    return _with_parameters(given, lambda _, value: _seals().open(value) if is_sealed(value) else value)


def sealed_text(text: str) -> str:
    """Answer ``text`` sealed: none without the key can read or make it. Raises FossulError without a key."""
    return _seals().seal(text)


def opened_text(text: str) -> str:
    """Answer what ``sealed_text`` sealed. Raises SealBroken for anything else."""
    if not is_sealed(text):
        raise SealBroken
    return _seals().open(text)


def rotate_secrets(actor: Actor) -> int:
    """Seal every stored secret with the first key, also those of earlier versions and of channels.

    Answers in how many configurations there was one.

    All or none. Raises NotAllowed; SealBroken for one that no key opens.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        for channel in Channel.objects.select_for_update().exclude(secret=""):
            channel.secret = _seals().seal(channel.secret)
            channel.save(update_fields=["secret"])
        return _change_stored(_sealed_anew)


def seal_plain_secrets() -> int:
    """Seal what was stored before secrets were sealed; answer in how many configurations there was one."""
    return _change_stored(sealed_settings)


def _change_stored(change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> int:
    changed = 0
    with transaction.atomic():
        for row in BackupConfig.objects.select_for_update():
            sealed = change(row.settings)
            if sealed != row.settings:
                row.settings = sealed
                row.save(update_fields=["settings"])
                changed += 1
        for version in ConfigVersion.objects.select_for_update():
            sealed = change(version.content["settings"])
            if sealed != version.content["settings"]:
                version.content = {**version.content, "settings": sealed}
                version.save(update_fields=["content"])
    return changed


def _with_parameters(given: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    changed = dict(given)
    for key in _PARAMETERS:
        values = given.get(key)
        if isinstance(values, Mapping):
            changed[key] = {name: change(name, value) for name, value in values.items()}
    return changed


def _seals() -> Seals:
    if not settings.FOSSUL_SECRETS_KEYS:
        raise FossulError(
            "There is no key to seal secrets with: run manage.py prepare, or set FOSSUL_SECRETS_KEY."
        )
    return Seals(settings.FOSSUL_SECRETS_KEYS)
