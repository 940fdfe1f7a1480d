"""The settings without which InnoDB does not understand its files, as a copy tells those of its server."""

import re
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.wording import reason_of, shown

FILE = "backup-my.cnf"

_NUMBER = r"[0-9]+"
_SYSTEM_FILE = r"[^/;:]+:[0-9]+[KMG]?(?::autoextend(?::max:[0-9]+[KMG]?)?)?"
_KNOWN = {
    "innodb_checksum_algorithm": r"[a-z0-9_]+",
    "innodb_data_file_path": rf"{_SYSTEM_FILE}(?:;{_SYSTEM_FILE})*",
    "innodb_log_file_size": _NUMBER,
    "innodb_page_size": _NUMBER,
    "innodb_undo_tablespaces": _NUMBER,
}


def settings_of(data: Path) -> list[str]:
    """The settings of the server whose copy is in ``data``, as arguments.

    The file is not given to mariadb-backup as a whole: what comes from another machine could load a library,
    or write elsewhere. Raises PluginFailed when it is not there, and for files outside of the data folder.
    """
    try:
        text = (data / FILE).read_text(errors="replace")
    except OSError as error:
        raise PluginFailed(
            f"the copy is not complete: its {FILE} cannot be read: {reason_of(error)}"
        ) from None
    arguments = []
    for name, value in re.findall(r"(?m)^(\w+)=(.*)$", text):
        if name not in _KNOWN:
            continue
        if not re.fullmatch(_KNOWN[name], value):
            raise PluginFailed(
                f"the server's {name} is {shown(value)}, with which a copy cannot be prepared: its files "
                "must be in its data folder. Use mariadb-dump"
            )
        arguments.append(f"--{name.replace('_', '-')}={value}")
    return arguments
