"""The groups, and the first person who may sign in."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group, User

from workflows_app.services.people.permissions import GROUP_RIGHTS

ADMIN = "admin"
PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class AdminAccount:
    """The first administrator. ``generated`` is the password where it was made just now, else ``""``."""

    username: str
    generated: str = ""


def ensure_groups() -> None:
    """Make the groups that carry rights, where they are missing."""
    for name in GROUP_RIGHTS:
        Group.objects.get_or_create(name=name)


def nobody_yet() -> bool:
    """Whether nobody has an account: the dashboard has never been used."""
    return not User.objects.exists()


def ensure_admin(password: str) -> AdminAccount | None:
    """Make the user ``admin``, of the group ``admin``, when nobody has an account or ``password`` is given.

    A given password becomes the account's; without one a password is generated when the account is made,
    and is answered this once: only its hash is stored. Answers None when there is no such user and should
    be none, because others administer the dashboard.
    """
    user = User.objects.filter(username=ADMIN).first()
    if user is not None:
        if password and not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        return AdminAccount(ADMIN)
    if not password and not nobody_yet():
        return None
    generated = "" if password else secrets.token_urlsafe(PASSWORD_BYTES)
    user = User.objects.create_user(ADMIN, password=password or generated)
    user.groups.add(Group.objects.get(name="admin"))
    return AdminAccount(ADMIN, generated)
