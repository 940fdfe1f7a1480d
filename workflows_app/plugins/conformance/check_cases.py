"""What a plugin promises that can be tested beforehand."""

from workflows_app.domain.config import Config
from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding
from workflows_app.plugins.base import CheckingPlugin
from workflows_app.plugins.basic.description import CHECK, Description
from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.trial import CONFIG, PROFILE, CaseFailed, CaseSkipped, Trial


def _check(trial: Trial) -> str:
    able = isinstance(trial.plugin, CheckingPlugin)
    if isinstance(trial.info, Description):
        able = trial.info.can(CHECK)
    if not able:
        raise CaseSkipped("what it needs cannot be tried beforehand")
    before = trial.scratch.snapshot()
    refused, found = "", None
    try:
        found = trial.ask("check", Config(profile_name=PROFILE, config_name=CONFIG))
    except FossulError as error:
        refused = str(error)
    if trial.scratch.snapshot() != before:
        raise CaseFailed("it changed something in the folder that it works in")
    if refused:
        return f"it is refused: {refused}"
    if not isinstance(found, tuple) or not all(isinstance(finding, Finding) for finding in found):
        raise CaseFailed(f"check answered {type(found).__name__}, not a tuple of Finding")
    if silent := [finding.state for finding in found if not finding.words]:
        raise CaseFailed(f"a finding {silent[0]} has no words")
    return f"{len(found)} findings"


CASES = (Case("check answers findings and changes nothing", _check),)
