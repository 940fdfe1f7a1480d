"""What the text of a plugin's parameter may be: declared by the plugin, held against what is typed.

So a wrong value is refused by its field when a configuration is saved, without loading the plugin.
"""

import re
from enum import StrEnum
from urllib.parse import urlsplit

from workflows_app.domain.secrets.references import is_reference
from workflows_app.domain.wire import WireModel

_SIZE = re.compile(r"([0-9]{1,15})[KMG]?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")
_NO_ADDRESS = "is not an address such as https://s3.example.org:9000, without user, path or query"


class ParameterKind(StrEnum):
    """What a parameter's text means.

    ``PATH`` is an absolute path where the worker runs, ``PATHS`` several of them separated by commas;
    ``SIZE`` a number of bytes, with K, M or G (binary units) after it if need be; ``NUMBER`` a whole one.
    ``SPELLED`` is a text of certain characters, ``ADDRESS`` that of a web server.
    """

    TEXT = "text"
    FLAG = "flag"
    CHOICE = "choice"
    NUMBER = "number"
    SIZE = "size"
    PATH = "path"
    PATHS = "paths"
    SPELLED = "spelled"
    ADDRESS = "address"


class ParameterForm(WireModel):
    """The form of a parameter's text.

    ``choices`` are those of ``CHOICE``, ``characters`` those of ``SPELLED``. ``least`` and ``most`` bound
    ``NUMBER``, and the length of ``SPELLED``; 0 is no bound above.
    """

    omit_empty = frozenset({"choices", "characters", "least", "most"})

    kind: ParameterKind = ParameterKind.TEXT
    choices: tuple[str, ...] = ()
    characters: str = ""
    least: int = 0
    most: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """All texts that it may be, where these can be listed."""
        return ("true", "false") if self.kind is ParameterKind.FLAG else self.choices

    @property
    def ranges(self) -> str:
        """The characters of ``SPELLED`` for people: ``a-z, 0-9, '.'``."""
        found: list[list[str]] = []
        for character in self.characters:
            if found and character.isalnum() and ord(character) == ord(found[-1][-1]) + 1:
                found[-1].append(character)
            else:
                found.append([character])
        return ", ".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else repr(one[0]) for one in found)

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
            case ParameterKind.SPELLED:
                return self._spelling_refusal(text)
            case ParameterKind.ADDRESS:
                return address_refusal(text)
            case _:
                return ""

    def _number_refusal(self, text: str) -> str:
        if _NUMBER.fullmatch(text) and self.least <= int(text) and (not self.most or int(text) <= self.most):
            return ""
        bounds = f"from {self.least} to {self.most}" if self.most else f"of {self.least} or more"
        return f"{text!r} is not a whole number {bounds}"

    def _spelling_refusal(self, text: str) -> str:
        if any(character not in self.characters for character in text):
            return f"{text!r} has other characters than {self.ranges}"
        if self.least <= len(text) and (not self.most or len(text) <= self.most):
            return ""
        bounds = f"{self.least} to {self.most}" if self.most else f"{self.least} or more"
        return f"{text!r} has {len(text)} characters instead of {bounds}"


TEXT = ParameterForm()
FLAG = ParameterForm(kind=ParameterKind.FLAG)
SIZE = ParameterForm(kind=ParameterKind.SIZE)
PATH = ParameterForm(kind=ParameterKind.PATH)
PATHS = ParameterForm(kind=ParameterKind.PATHS)
ADDRESS = ParameterForm(kind=ParameterKind.ADDRESS)


def choice(*choices: str) -> ParameterForm:
    """The form of one of these texts."""
    return ParameterForm(kind=ParameterKind.CHOICE, choices=tuple(str(one) for one in choices))


def number(least: int, most: int = 0) -> ParameterForm:
    """The form of a whole number from ``least`` to ``most``; 0 for no bound above."""
    return ParameterForm(kind=ParameterKind.NUMBER, least=least, most=most)


def spelled(characters: str, least: int = 1, most: int = 0) -> ParameterForm:
    """The form of a text of ``least`` to ``most`` of these characters; 0 for no bound above."""
    return ParameterForm(kind=ParameterKind.SPELLED, characters=characters, least=least, most=most)


def address_refusal(text: str) -> str:
    """Why ``text`` is no address of a web server, in words that follow its name; empty when it is one.

    The text is not shown: it may hold a password.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return _NO_ADDRESS
    extra = parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment
    is_address = parts.scheme in ("http", "https") and parts.hostname and not extra
    return "" if is_address else _NO_ADDRESS


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _path_refusal(text: str) -> str:
    return "" if text.startswith("/") else f"{text!r} is not an absolute path: let it begin with '/'"
