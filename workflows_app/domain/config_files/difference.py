"""The difference between two configurations, as people read one: a unified diff without secrets."""

import difflib
from collections.abc import Collection

from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.config_files.display import CONTEXT, without_credentials
from workflows_app.domain.config_files.files import SUFFIX, Files, write_files
from workflows_app.domain.config_files.profile_file import ProfileSettings, write_profile


def difference(
    name: str,
    old: Configuration | None,
    new: Configuration | None,
    declared: Collection[str] = (),
) -> tuple[str, ...]:
    """Answer what turns ``old`` into ``new``, file by file, as lines; none where they are equal.

    None stands for a configuration that is not there. ``name`` is that of the configuration, whose main
    file bears it. Of a secret that differs it tells that it does, not how; ``declared`` are the names that
    plugins declare secret. Raises ConfigInvalid for what
    no file can hold.
    """
    return _difference(_shown(name, old, None, declared), _shown(name, new, old, declared))


def profile_difference(
    name: str, old: ProfileSettings | None, new: ProfileSettings | None
) -> tuple[str, ...]:
    """Answer what turns ``old`` into ``new``, as lines, for the profile ``name``; None is one not there."""
    before, after = ({f"{name}{SUFFIX}": write_profile(each)} if each else {} for each in (old, new))
    return _difference(before, after)


def _difference(before: Files, after: Files) -> tuple[str, ...]:
    lines: list[str] = []
    for file in (*before, *(file for file in after if file not in before)):
        lines += difflib.unified_diff(
            before.get(file, "").splitlines(),
            after.get(file, "").splitlines(),
            fromfile=f"database {file}" if file in before else "not in the database",
            tofile=f"files {file}" if file in after else "not in the files",
            lineterm="",
            n=CONTEXT,
        )
    return tuple(lines)


def _shown(
    name: str, configuration: Configuration | None, other: Configuration | None, declared: Collection[str]
) -> Files:
    """The files of a configuration as they may be shown beside those of ``other``."""
    if configuration is None:
        return {}
    shown, plan = without_credentials(configuration, other, declared)
    return write_files(name, shown, plan)
