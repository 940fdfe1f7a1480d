"""What the text of a parameter may stand for, by how it begins: something that only a worker can tell."""

SEALED = "sealed:"
"""A stored secret (``domain.secrets.sealing``)."""

ENV = "env:"
"""A variable of the worker's environment."""

FILE = "file:"
"""A file where the worker runs."""


def is_sealed(text: str) -> bool:
    """Whether ``text`` is a sealed one."""
    return text.startswith(SEALED)


def is_reference(text: str) -> bool:
    """Whether a worker must be asked what ``text`` stands for."""
    return text.startswith((SEALED, ENV, FILE))
