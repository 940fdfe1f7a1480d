"""A plugin's file that families share: ``filesystem.conf`` of a storage and an archive plugin.

Fossul reads it once for each family and passes over heads of tables (fossul-behaviour.md §2), so that each
gets what stands in it for all. Here what stands below a head of a family's own is that family's.
"""

from collections.abc import Collection, Mapping

from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.config_files.plugin_file import PluginFile, read_plugin, write_plugin
from workflows_app.domain.errors import ConfigInvalid

_HEADS = {f"[{family}PluginParameters]".encode(): family for family in Family}


def read_shared(content: bytes, families: Collection[Family]) -> dict[Family, PluginFile]:
    """Read what a file gives each of ``families``. Raises ConfigInvalid as ``read_plugin`` does."""
    lines = content.split(b"\n")
    found: dict[Family, list[bytes]] = {family: [] for family in families}
    mine: Collection[Family] = families
    for line in lines:
        head = _HEADS.get(line.strip())
        if head in found:
            mine = (head,)
        for family, own in found.items():
            # A line of another's is an empty one: the numbers of lines stay.
            own.append(line if family in mine else b"")
    return {family: read_plugin(b"\n".join(own)) for family, own in found.items()}


def write_shared(parameters: Mapping[Family, Mapping[str, str]]) -> str:
    """Write the file of the plugin that these families name, which ``read_shared`` reads back equal.

    Raises ConfigInvalid as ``write_plugin`` does, and naming a parameter that has two values: Fossul would
    give all families the later one.
    """
    values: dict[str, str] = {}
    for family, own in parameters.items():
        for key, value in own.items():
            if values.setdefault(key, value) != value:
                raise ConfigInvalid(
                    f"{family}PluginParameters.{key}",
                    f"the {_names(parameters)} plugin share a file, and it has another value for each",
                )
    if all(own == values for own in parameters.values()):
        return write_plugin(values)
    return "\n".join(f"[{family}PluginParameters]\n{write_plugin(own)}" for family, own in parameters.items())


def _names(families: Collection[Family]) -> str:
    return " and ".join(family.lower() for family in families)
