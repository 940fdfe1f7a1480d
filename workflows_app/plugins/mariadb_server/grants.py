"""What a user may see: MariaDB's programs leave out, without a word, what they are not shown."""

import re
from collections.abc import Iterable

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb_server.programs import Programs

# Without TRIGGER or one of the routine privileges a dump succeeds and has none of them [seen with 10.11].
_NEEDED = frozenset({"SELECT", "SHOW VIEW", "TRIGGER", "EVENT"})
_ROUTINES = frozenset({"EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE", "SHOW CREATE ROUTINE"})
_ALL = "ALL PRIVILEGES"
_GRANT = re.compile(r"GRANT (?P<what>[A-Z, ]+) ON (?P<on>\*|`(?:[^`]|``)+`)\.\* TO (?P<to>\S+).*")


class Grants:
    """The privileges of a session's user and of its role, as ``SHOW GRANTS`` tells them."""

    def __init__(self, lines: Iterable[str], *, with_role: bool) -> None:
        self._grants: list[tuple[re.Pattern[str], frozenset[str]]] = []
        for line in lines:
            found = _GRANT.fullmatch(line)
            # The grants of a role are shown even when it is not the session's.
            if found and (with_role or "@" in found["to"]):
                self._grants.append((_pattern(found["on"]), frozenset(found["what"].split(", "))))

    def missing(self, database: str | None) -> list[str]:
        """Which privileges a dump of ``database``, or of all (None), lacks to have everything."""
        had = self._on(database)
        routines = [] if had & {*_ROUTINES, _ALL} else ["EXECUTE"]
        return self.lacking(_NEEDED, database) + routines

    def lacking(self, needed: frozenset[str], database: str | None) -> list[str]:
        """Which of the privileges ``needed`` are not there on ``database``, or on all (None)."""
        had = self._on(database)
        return [] if _ALL in had else sorted(needed - had)

    def _on(self, database: str | None) -> set[str]:
        had: set[str] = set()
        for pattern, privileges in self._grants:
            if pattern.fullmatch(database) if database is not None else pattern.pattern == ".*":
                had |= privileges
        return had


def check_rights(programs: Programs, client: str, database: str | None) -> None:
    """Raise PluginFailed when the user is not shown all of ``database``, or of all databases (None)."""
    missing = _grants(programs, client).missing(database)
    if missing:
        on = "*.*" if database is None else f"`{database.replace('`', '``')}`.*"
        raise PluginFailed(
            f"The user {programs.server.user!r} is not shown all that would be in the dump: it lacks "
            f"{', '.join(missing)} on {on}. What it is not shown would be missing without a word; grant that"
        )


def missing_rights(programs: Programs, client: str, needed: frozenset[str]) -> list[str]:
    """Which of the privileges ``needed`` the user lacks on ``*.*``. Raises as ``Programs.ask``."""
    return _grants(programs, client).lacking(needed, None)


def _grants(programs: Programs, client: str) -> Grants:
    lines = programs.ask(client, "SELECT 'role', IFNULL(CURRENT_ROLE(), ''); SHOW GRANTS")
    with_role = any(line.startswith("role\t") and line != "role\t" for line in lines)
    return Grants(lines, with_role=with_role)


def _pattern(on: str) -> re.Pattern[str]:
    """The databases that a grant is for: ``_`` and ``%`` stand for others unless a backslash is before."""
    if on == "*":
        return re.compile(".*")
    parts = re.findall(r"\\.|.", on[1:-1].replace("``", "`"), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile(
        "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL
    )
