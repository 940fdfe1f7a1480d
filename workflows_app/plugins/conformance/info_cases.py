"""What every plugin promises: to tell what it is, and to tell nothing that is secret."""

from workflows_app.domain.results import Level
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.plugins.base import BROWSE, DELETE, FETCH, HOLDS, KEEP_RULES, VERIFY
from workflows_app.plugins.basic.description import (
    CHECK,
    INFO,
    RESTORE_DRY_RUN,
    RESTORE_TARGET,
    Description,
    Extension,
)
from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.trial import CaseFailed, CaseSkipped, Trial

# By family: what a plugin must be able to do, and what else it may (fossul-behaviour.md §7.2).
_NEEDED = {
    "app": ("quiesce", "unquiesce"),
    "storage": ("backup", "backupList"),
    "archive": ("archive", "archiveList"),
}
_OPTIONAL = {
    "app": ("discover", "preRestore", "postRestore"),
    "storage": (
        "restore", "backupDeleteWorkflow", "mount", "unmount", VERIFY, DELETE, BROWSE,
        RESTORE_TARGET, RESTORE_DRY_RUN, RESTORE_FILES, HOLDS, KEEP_RULES,
    ),
    "archive": ("archiveDelete", FETCH, HOLDS, KEEP_RULES),
}  # fmt: skip
# A shorter value would turn up in innocent words.
_SHORTEST_SECRET = 4


def _answers(trial: Trial) -> str:
    info = trial.info
    for name, value in (("name", info.name), ("version", info.version), ("description", info.description)):
        if not value:
            raise CaseFailed(f"its {name} is empty")
    if info.type != trial.family:
        raise CaseFailed(f"its type is {info.type!r}, and it is registered as {trial.family!r}")
    return f"{info.name} {info.version}"


def _capabilities(trial: Trial) -> str:
    names = [capability.name for capability in trial.info.capabilities]
    needed, optional = _NEEDED[trial.family], _OPTIONAL[trial.family]
    if missing := [name for name in needed if name not in names]:
        raise CaseFailed(f"it does not declare {', '.join(missing)}")
    if unknown := [name for name in names if name not in (*needed, *optional, INFO, CHECK)]:
        raise CaseFailed(f"no {trial.family} plugin has the capability {', '.join(map(repr, unknown))}")
    return ", ".join(names)


def _parameters(trial: Trial) -> str:
    specs = trial.info.parameters
    if not specs:
        raise CaseSkipped("it declares no parameters, so a form cannot ask for them")
    names = [spec.name for spec in specs]
    for spec in specs:
        if not spec.name or "=" in spec.name or "\0" in spec.name:
            raise CaseFailed(f"{spec.name!r} cannot be the name of a parameter")
        if names.count(spec.name) > 1:
            raise CaseFailed(f"{spec.name} is declared twice")
        if not spec.help:
            raise CaseFailed(f"{spec.name} has no help")
        if spec.secret and spec.default:
            raise CaseFailed(f"{spec.name} is secret and has a default, which everybody can read")
    return ", ".join(names)


def _extensions(trial: Trial) -> str:
    if not isinstance(trial.info, Description):
        raise CaseSkipped("it is no executable")
    known = [extension.value for extension in Extension]
    if unknown := [name for name in trial.info.extensions if name not in known]:
        raise CaseFailed(
            f"there is no extension {', '.join(map(repr, unknown))}; there are {', '.join(known)}"
        )
    return ", ".join(trial.info.extensions) or "none"


def _secrets(trial: Trial) -> str:
    parameters = trial.parameters
    secrets = [
        (spec.name, parameters[spec.name])
        for spec in trial.info.parameters
        if spec.secret and len(parameters.get(spec.name, "")) >= _SHORTEST_SECRET
    ]
    if not secrets or not trial.said:
        raise CaseSkipped("no secret parameter was given" if not secrets else "it said nothing")
    for name, value in secrets:
        if any(value in text for _, text in trial.said):
            raise CaseFailed(f"a message has the value of {name}")
    return f"{len(trial.said)} messages"


def _levels(trial: Trial) -> str:
    if not trial.said:
        raise CaseSkipped("it said nothing")
    unknown = [text for level, text in trial.said if level == Level.UNKNOWN]
    if unknown:
        raise CaseFailed(
            f"{len(unknown)} of {len(trial.said)} messages have none, such as {unknown[0][:80]!r}"
        )
    return f"{len(trial.said)} messages"


FIRST = (
    Case("info tells name, version, description and type", _answers),
    Case("info declares capabilities of its family", _capabilities),
    Case("info describes each parameter", _parameters),
    Case("info asks for known extensions only", _extensions),
)
LAST = (
    Case("every message has a level", _levels),
    Case("no message has a secret", _secrets),
)
