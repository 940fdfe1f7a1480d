"""The conformance suite: holds a plugin of any kind against what its family promises."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError
from workflows_app.plugins.conformance import (
    app_cases,
    archive_cases,
    check_cases,
    info_cases,
    point_cases,
    storage_cases,
)
from workflows_app.plugins.conformance.cases import Case, Outcome, Verdict
from workflows_app.plugins.conformance.trial import CaseFailed, CaseSkipped, Trial

_OF_FAMILY = {
    "app": app_cases.CASES,
    "storage": (*storage_cases.CASES, *point_cases.CASES),
    "archive": archive_cases.CASES,
}


def check_plugin(trial: Trial) -> Iterator[Outcome]:
    """Answer what comes of each case, as it comes.

    Nothing is written or deleted outside of the trial's scratch folder, as far as the plugin obeys its
    parameters, and no application is frozen unless the trial allows it.
    """
    first, *others = info_cases.FIRST
    yield _outcome(first, trial)
    # All others ask what it says of itself, and each would wait for that anew.
    known = trial.knows
    for case in (*others, *check_cases.CASES, *_OF_FAMILY[trial.family], *info_cases.LAST):
        yield _outcome(case, trial) if known else Outcome(Verdict.SKIPPED, case.name, "it has no info")


def _outcome(case: Case, trial: Trial) -> Outcome:
    try:
        return Outcome(Verdict.OK, case.name, case.look(trial))
    except CaseSkipped as skipped:
        return Outcome(Verdict.SKIPPED, case.name, str(skipped))
    except CaseFailed as failed:
        return Outcome(Verdict.FAIL, case.name, str(failed))
    except FossulError as refused:
        return Outcome(Verdict.FAIL, case.name, f"it refused: {refused}")
