"""Who may do what: three groups, denied by default.

Services ask here, so pages, sockets and commands obey alike.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from workflows_app.domain.errors import NotAllowed


class Right(StrEnum):
    """What a person may be allowed to do, in words that fit "you may not …"."""

    VIEW = "view runs and configurations"
    OPERATE = "start and control runs"
    CONFIGURE = "change configurations"
    TERMINATE = "terminate runs"


GROUP_RIGHTS: dict[str, frozenset[Right]] = {
    "viewer": frozenset({Right.VIEW}),
    "operator": frozenset({Right.VIEW, Right.OPERATE}),
    "admin": frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a name for the record, and rights."""

    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        """Whether the actor has ``right``."""
        return right in self.rights

    def require(self, right: Right) -> None:
        """Raise NotAllowed, with words, when the actor lacks ``right``."""
        if right not in self.rights:
            raise NotAllowed(
                f"You are not allowed to {right.value}. An administrator can add you to a group that is."
            )


NOBODY = Actor(name="", rights=frozenset())


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Answer the actor that a signed-in user is; nobody's rights for anyone else. Reads the database."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    if user.is_superuser:
        return Actor(user.username, frozenset(Right))
    groups = user.groups.values_list("name", flat=True)
    rights = frozenset[Right]().union(*(GROUP_RIGHTS.get(group, frozenset()) for group in groups))
    return Actor(user.username, rights)


def command_line(name: str) -> Actor:
    """Answer the actor behind a management command: whoever can run it owns the machine."""
    return Actor(f"{name} (command line)", frozenset(Right))
