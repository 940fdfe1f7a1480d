"""A profile's own file, ``<profile>/<profile>.conf``: what it is for, and whether it is disabled.

It is our addition. In a profile's folder Fossul looks for folders alone, and passes over it
(fossul-behaviour.md §2, ``DirectoryList``).
"""

from dataclasses import dataclass

from workflows_app.domain.config_files.main_file import (
    DESCRIPTION_KEY,
    DISABLED_KEY,
    own_lines,
    own_settings,
    parse,
)
from workflows_app.domain.config_files.notes import Note
from workflows_app.domain.config_files.typed_values import known


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """What a profile says of itself; None where its file says nothing."""

    description: str | None = None
    disabled: bool | None = None

    @property
    def taken(self) -> int:
        """How many settings it gives."""
        return sum(value is not None for value in (self.description, self.disabled))

    def completed(self, stored: "ProfileSettings") -> "ProfileSettings":
        """The settings with what they say nothing of as ``stored``."""
        return ProfileSettings(
            stored.description if self.description is None else self.description,
            stored.disabled if self.disabled is None else self.disabled,
        )


NEW_PROFILE = ProfileSettings(description="", disabled=False)
"""What a profile is of which nothing is said."""


def read_profile(content: bytes) -> tuple[ProfileSettings, tuple[Note, ...]]:
    """Read a profile's file, and what is to be said of it. Raises ConfigInvalid naming the key."""
    notes: list[Note] = []
    table = known(parse(content), (DESCRIPTION_KEY, DISABLED_KEY), "", notes)
    return ProfileSettings(*own_settings(table)), tuple(notes)


def write_profile(settings: ProfileSettings) -> str:
    """Write a profile's file, which ``read_profile`` reads back equal. Raises ConfigInvalid for a NUL."""
    return "".join(f"{line}\n" for line in own_lines(settings.description, settings.disabled))
