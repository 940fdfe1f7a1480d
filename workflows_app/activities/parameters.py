"""A plugin's parameters as it needs them: references resolved, and which values nobody may read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import PluginInfo
from workflows_app.domain.secrets.redaction import MASK, Redactor
from workflows_app.domain.secrets.references import ENV, FILE, is_sealed
from workflows_app.domain.secrets.sealing import Seals
from workflows_app.plugins.environment import is_own

LARGEST_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Parameters:
    """``values`` by name, with references resolved; ``secrets`` are values that no text may show."""

    values: Mapping[str, str]
    secrets: frozenset[str]


def resolve(parameters: Mapping[str, str], info: PluginInfo) -> Parameters:
    """Answer a plugin's parameters with their references resolved.

    ``sealed:…`` is a stored secret, ``env:NAME`` a variable of the worker's environment that is not one of
    the worker's own, ``file:/path`` a file below one of ``FOSSUL_SECRET_DIRS``, without its last line break.
    Raises PluginFailed, naming the parameter and never its value, for what cannot be resolved; SealBroken.
    """
    declared = {spec.name for spec in info.parameters if spec.secret}
    values, secrets = {}, set()
    for name, given in parameters.items():
        value = values[name] = _resolved(name, given)
        if value != given or name in declared or _named_as_secret(name):
            secrets.add(value)
    return Parameters(values, frozenset(secrets))


def _resolved(name: str, given: str) -> str:
    if is_sealed(given):
        return Seals(settings.FOSSUL_SECRETS_KEYS).open(given)
    if given.startswith(ENV):
        return _variable(name, given.removeprefix(ENV))
    if given.startswith(FILE):
        return _content(name, given.removeprefix(FILE))
    return given


def _variable(name: str, variable: str) -> str:
    value = None if is_own(variable) else os.environ.get(variable)
    if value is None:
        raise PluginFailed(
            f"The parameter {name} is {ENV}{variable}, which this worker's environment does not have, or "
            "which is one of the worker's own. Set it where the worker is started."
        )
    return value


def _content(name: str, path: str) -> str:
    file = Path(os.path.realpath(path))
    allowed = [Path(os.path.realpath(folder)) for folder in settings.FOSSUL_SECRET_DIRS]
    if not any(file.is_relative_to(folder) for folder in allowed):
        raise PluginFailed(
            f"The parameter {name} is {FILE}{path}, which is in none of the folders of FOSSUL_SECRET_DIRS "
            f"({', '.join(settings.FOSSUL_SECRET_DIRS)}). Put it there, or add its folder to them."
        )
    try:
        with file.open(encoding="utf-8") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise PluginFailed(f"The parameter {name} is {FILE}{path}, which cannot be read: {reason}.") from None
    if len(content) > LARGEST_FILE:
        raise PluginFailed(f"The parameter {name} is {FILE}{path}, which is too large for a secret.")
    return content.removesuffix("\n").removesuffix("\r")


def _named_as_secret(name: str) -> bool:
    return MASK in Redactor().redact(f"{name}=probe")
