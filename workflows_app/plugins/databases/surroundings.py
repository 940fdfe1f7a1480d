"""What a database's client program knows besides its arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The variables that a program is given; the password is in the one named ``variable``, and nowhere else.

    ``settings`` are the others. What the place where it runs has of variables for which ``foreign`` answers
    True is kept from it; where they cannot be listed, it is ``unset``.
    """

    variable: str
    password: str = field(repr=False)
    settings: Mapping[str, str]
    foreign: Callable[[str], bool]
    unset: tuple[str, ...]
