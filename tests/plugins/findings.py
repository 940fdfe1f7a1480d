"""What tests look at in the findings of a plugin."""

from collections.abc import Iterable

from workflows_app.domain.findings import Finding, FindingState


def words(found: Iterable[Finding], state: FindingState, parameter: str = "") -> str:
    """The words of the findings of a state, of one parameter or of all, one a line."""
    return "\n".join(
        each.words for each in found if each.state is state and parameter in ("", each.parameter)
    )


def bad(found: Iterable[Finding], parameter: str = "") -> str:
    """As ``words``, of what is bad."""
    return words(found, FindingState.BAD, parameter)


def all_good(found: Iterable[Finding]) -> bool:
    """Whether there is a finding, and none but good ones."""
    states = {each.state for each in found}
    return states == {FindingState.GOOD}
