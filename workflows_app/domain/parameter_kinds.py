"""What the text of a plugin's parameter may be: declared by the plugin, held against what is typed.

So a wrong value is refused by its field when a configuration is saved, without loading the plugin.
"""

import re
from enum import StrEnum

from workflows_app.domain.secrets.references import is_reference
from workflows_app.domain.wire import WireModel

_SIZE = re.compile(r"([0-9]{1,15})[KMG]?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")


class ParameterKind(StrEnum):
    """What a parameter's text means.

    ``PATH`` is an absolute path where the worker runs, ``PATHS`` several of them separated by commas;
    ``SIZE`` a number of bytes, with K, M or G (binary units) after it if need be; ``NUMBER`` a whole one.
    """

    TEXT = "text"
    FLAG = "flag"
    CHOICE = "choice"
    NUMBER = "number"
    SIZE = "size"
    PATH = "path"
    PATHS = "paths"


class ParameterForm(WireModel):
    """The form of a parameter's text.

    ``choices`` are those of ``CHOICE``; ``least`` and ``most`` bound ``NUMBER``, where 0 is no bound above.
    """

    omit_empty = frozenset({"choices", "least", "most"})

    kind: ParameterKind = ParameterKind.TEXT
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """All texts that it may be, where these can be listed."""
        return ("true", "false") if self.kind is ParameterKind.FLAG else self.choices

    def refusal(self, text: str) -> str:
        """Why ``text`` cannot be the value, in words that follow its name; empty when it can.

        An empty text is a value that is not given. What is sealed, or a reference that a worker resolves,
        cannot be looked at here.
        """
        text = text.strip()
        if not text or is_reference(text):
            return ""
        match self.kind:
            case ParameterKind.FLAG | ParameterKind.CHOICE:
                return "" if text in self.options else f"{text!r} is none of {', '.join(self.options)}"
            case ParameterKind.NUMBER:
                return self._number_refusal(text)
            case ParameterKind.SIZE:
                return "" if _SIZE.fullmatch(text) else f"{text!r} is no size such as 512K, 12M or 1G"
            case ParameterKind.PATH:
                return _path_refusal(text)
            case ParameterKind.PATHS:
                return next(filter(None, map(_path_refusal, _parts(text))), "")
            case _:
                return ""

    def _number_refusal(self, text: str) -> str:
        if _NUMBER.fullmatch(text) and self.least <= int(text) and (not self.most or int(text) <= self.most):
            return ""
        bounds = f"from {self.least} to {self.most}" if self.most else f"of {self.least} or more"
        return f"{text!r} is not a whole number {bounds}"


TEXT = ParameterForm()
FLAG = ParameterForm(kind=ParameterKind.FLAG)
SIZE = ParameterForm(kind=ParameterKind.SIZE)
PATH = ParameterForm(kind=ParameterKind.PATH)
PATHS = ParameterForm(kind=ParameterKind.PATHS)


def choice(*choices: str) -> ParameterForm:
    """The form of one of these texts."""
    return ParameterForm(kind=ParameterKind.CHOICE, choices=tuple(str(one) for one in choices))


def number(least: int, most: int = 0) -> ParameterForm:
    """The form of a whole number from ``least`` to ``most``; 0 for no bound above."""
    return ParameterForm(kind=ParameterKind.NUMBER, least=least, most=most)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _path_refusal(text: str) -> str:
    return "" if text.startswith("/") else f"{text!r} is not an absolute path: let it begin with '/'"
