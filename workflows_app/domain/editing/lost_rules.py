"""Keep rules that an edit would drop together with their policy."""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.retention.keep_rules import KeepRules


@dataclass(frozen=True, slots=True)
class LostRules:
    """The rules, in ``words``, of a policy that is gone, ``of`` its backups or its archives."""

    policy: str
    of: str
    words: str


def lost_rules(before: Configuration, after: Configuration) -> tuple[LostRules, ...]:
    """Answer the rules of policies that ``after`` has no more.

    Those that a policy has which ``before`` had not are none of them: the policy was renamed.
    """
    names = {policy.name for policy in before.policies}
    left = {policy.name for policy in after.policies}
    new = [rules for policy in after.policies if policy.name not in names for rules in _rules(policy)]
    gone = (policy for policy in before.policies if policy.name not in left)
    return tuple(
        LostRules(policy.name, of, rules.words)
        for policy in gone
        for of, rules in _rules(policy)
        if (of, rules) not in new
    )


def _rules(policy: FilePolicy) -> Iterator[tuple[str, KeepRules]]:
    for of, rules in (("backups", policy.keep_rules), ("archives", policy.archive_keep_rules)):
        if rules:
            yield of, rules
