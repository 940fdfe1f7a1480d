"""How a backup lies on disk, and when a tree takes a file from the backup before instead of copying it."""

from dataclasses import dataclass
from enum import StrEnum

from workflows_app.domain.parameter_kinds import choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.values import one_of, whole_number

TREE = "tree"
"""The name of the folder in a backup that has the files of a tree, each under its absolute path."""

_CHECKED = 10


class Format(StrEnum):
    """How the files of a backup are kept."""

    ARCHIVE = "archive"
    TREE = TREE


class Unchanged(StrEnum):
    """What proves that a file is the same as in the backup before."""

    METADATA = "metadata"
    HASH = "hash"


LAYOUT_SPECS = (
    ParameterSpec(
        name="Format",
        help="archive: each backup is one compressed tar archive. tree: each is a folder of plain files, in "
        "which what did not change is a hard link to the backup before and takes no room.",
        default=Format.ARCHIVE,
        form=choice(*Format),
    ),
    ParameterSpec(
        name="Unchanged",
        help="Of a tree, when a file counts as unchanged. metadata: its size, times and inode are as "
        "before, and it is not read. hash: its content is as before, which is read each time.",
        default=Unchanged.METADATA,
        form=choice(*Unchanged),
    ),
    ParameterSpec(
        name="VerifyLinked",
        help="Of a tree, how many percent of the linked files are read back from the backup before in each "
        "run, others each time; a damaged one is copied anew. 0: none, 100: all.",
        default=str(_CHECKED),
        form=number(0, 100),
    ),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the parameters say; ``checked`` is a percentage."""

    format: Format
    unchanged: Unchanged
    checked: int

    @classmethod
    def of(cls, context: PluginContext) -> "Layout":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        given = context.parameters
        return cls(
            Format(one_of("Format", given.get("Format", ""), tuple(Format), Format.ARCHIVE)),
            Unchanged(one_of("Unchanged", given.get("Unchanged", ""), tuple(Unchanged), Unchanged.METADATA)),
            whole_number("VerifyLinked", given.get("VerifyLinked", ""), _CHECKED, 100, least=0),
        )
