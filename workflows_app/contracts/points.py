"""What is asked of a storage beside runs: which backups there are, what is in one, is it whole."""

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.config import Config
from workflows_app.domain.file_listings import FileQuery


class CatalogueInput(BaseModel):
    """Whose backups are asked for."""

    model_config = ConfigDict(frozen=True)

    config: Config


class PointInput(BaseModel):
    """Which restore point is worked on: ``config.backup`` is it. ``by`` is a user's name."""

    model_config = ConfigDict(frozen=True)

    config: Config
    by: str


class VerifyInput(PointInput):
    """A restore point to verify; ``verification`` is the number of the row that tells of it."""

    verification: int


class BrowseInput(BaseModel):
    """Which files of the restore point ``config.backup`` are asked for."""

    model_config = ConfigDict(frozen=True)

    config: Config
    query: FileQuery


class Verified(BaseModel):
    """How the verification in row ``verification`` ended; ``state`` is a ``domain.states.CheckState``."""

    model_config = ConfigDict(frozen=True)

    verification: int
    state: str
    words: str


class Removed(BaseModel):
    """That a backup was deleted on purpose; ``how`` says by whom or what."""

    model_config = ConfigDict(frozen=True)

    profile: str
    config: str
    backup: str
    how: str
