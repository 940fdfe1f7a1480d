"""The form of a policy's retention: a part for its backups, one for its archives, read from what is typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.retention.archive_preview import ArchiveRetaining
from workflows_app.domain.retention.keep_rules import KeepRules, Period, parse_rules
from workflows_app.domain.retention.retention_preview import Retaining
from workflows_app.services.editing.retention import PolicyRetention

MOST = 100_000
ARCHIVES = "archive_"
"""The beginning of the names of the fields for archives."""


@dataclass(frozen=True, slots=True)
class RetentionField:
    """One input: its name, which is its id as well, the label, and what is in it."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class RetentionFields:
    """The inputs of one part of the form."""

    keep: RetentionField
    periods: tuple[RetentionField, ...]
    zone: RetentionField


def typed_values(present: PolicyRetention, given: Mapping[str, str]) -> dict[str, str]:
    """Answer the value of every field: what was typed, or what the policy has now."""
    values = _values("", present.backups.keep, present.backups.rules)
    values |= _values(ARCHIVES, present.archives.keep, present.archives.rules)
    return values | {name: given[name] for name in values if name in given}


def fields_of(values: Mapping[str, str], prefix: str = "") -> RetentionFields:
    """Answer the inputs of the part whose fields begin with ``prefix``."""
    periods = ((period.value, period.value.capitalize()) for period in Period)
    fields = {
        name: RetentionField(prefix + name, label, values[prefix + name])
        for name, label in (("keep", "The newest"), *periods, ("zone", "Time zone"))
    }
    return RetentionFields(fields["keep"], tuple(fields[period] for period in Period), fields["zone"])


def read_retention(values: Mapping[str, str]) -> PolicyRetention:
    """Read both parts. Raises ConfigInvalid naming the field, also for what leaves no backup."""
    backups = Retaining(_number("keep", values["keep"]), parse_rules(values))
    backups.check()
    of_archives = {k.removeprefix(ARCHIVES): v for k, v in values.items() if k.startswith(ARCHIVES)}
    try:
        archives = ArchiveRetaining(
            _number("keep", of_archives["keep"].strip() or "0"), parse_rules(of_archives)
        )
    except ConfigInvalid as error:
        raise ConfigInvalid(f"{error.field} (of archives)", error.reason) from None
    return PolicyRetention(backups, archives)


def _values(prefix: str, keep: int, rules: KeepRules) -> dict[str, str]:
    numbers = {f"{prefix}{period.value}": str(rules.number(period)) for period in Period}
    return {f"{prefix}keep": str(keep), **numbers, f"{prefix}zone": rules.zone}


def _number(field: str, text: str) -> int:
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > MOST:
        raise ConfigInvalid(field, f"{text!r} is not a whole number up to {MOST}")
    return int(text)
