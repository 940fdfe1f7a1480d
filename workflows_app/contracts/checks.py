"""What a test of a configuration is given."""

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.config import Config
from workflows_app.domain.findings import CheckPart


class CheckInput(BaseModel):
    """A configuration, stored or only typed, of which ``parts`` are to be tested.

    Secret parameters are sealed in it, and of commands it has only the programs. ``programs`` are those of
    the plan's own commands, by their step's key.
    """

    model_config = ConfigDict(frozen=True)

    config: Config
    parts: tuple[CheckPart, ...]
    programs: dict[str, str] = {}
