"""What an app plugin promises."""

from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.trial import CaseFailed, CaseSkipped, Trial, run_config


def _discover(trial: Trial) -> str:
    trial.need("discover")
    found = trial.done("discover", run_config(1)).discover_list
    paths = [path for instance in found for path in (*instance.data, *instance.logs)]
    for path in paths:
        if not path.startswith("/"):
            raise CaseFailed(f"{path!r} is not an absolute path")
        if "," in path:
            raise CaseFailed(f"{path!r} has a comma, which separates paths in DataFilePaths")
    return f"{len(found)} instances, {len(paths)} paths"


def _thaw_unfrozen(trial: Trial) -> str:
    _may_freeze(trial)
    trial.done("unquiesce", run_config(1))
    return ""


def _freeze_and_thaw(trial: Trial) -> str:
    _may_freeze(trial)
    config = run_config(1)
    thawed = False
    try:
        trial.done("quiesce", config)
        trial.done("unquiesce", config)
        thawed = True
    finally:
        if not thawed:  # whatever went wrong, the application may be frozen
            trial.refuses("unquiesce", config)
    return ""


def _thaw_twice(trial: Trial) -> str:
    _may_freeze(trial)
    trial.done("unquiesce", run_config(1))
    trial.done("unquiesce", run_config(1))
    return ""


def _restore_hooks(trial: Trial) -> str:
    raise CaseSkipped("preRestore and postRestore may change a real application: try them with a restore")


def _may_freeze(trial: Trial) -> None:
    for capability in ("quiesce", "unquiesce"):
        trial.need(capability)
    if not trial.freeze:
        raise CaseSkipped("it freezes the application for a moment; give --freeze to allow that")


CASES = (
    Case("discover answers absolute paths", _discover),
    Case("unquiesce thaws what is not frozen", _thaw_unfrozen),
    Case("quiesce freezes, unquiesce thaws", _freeze_and_thaw),
    Case("unquiesce may be called again", _thaw_twice),
    Case("the application takes part in a restore", _restore_hooks),
)
