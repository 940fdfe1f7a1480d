"""Patterns for what a backup leaves out: the part of gitignore's that needs no order and no exceptions.

What they mean: https://git-scm.com/docs/gitignore#_pattern_format, without ``!`` and ``[:class:]``. A
wildcard stands for characters, where git counts bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STAR = None
"""The token for ``*``; every other one is the regular expression of one character."""

_Tokens = list[str | None]


class PatternInvalid(ValueError):
    """A pattern that cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern. With ``by_name`` it is held against the name alone, otherwise against the whole path."""

    text: str
    regex: re.Pattern[str]
    by_name: bool
    folders_only: bool

    @classmethod
    def of(cls, text: str) -> "Pattern":
        """Read one pattern. Raises PatternInvalid."""
        if text.startswith("!"):
            raise PatternInvalid("exceptions with '!' are not known: name what is to be left out")
        folders_only = text.endswith("/") and not text.endswith("\\/")
        body = text[:-1] if folders_only else text
        by_name = "/" not in body
        segments = body.removeprefix("/").split("/")
        if not all(segments):
            raise PatternInvalid("it has nothing before, between or after a '/'")
        return cls(text, re.compile(_regex(segments), re.DOTALL), by_name, folders_only)

    def fits(self, path: str, name: str, is_folder: bool) -> bool:
        """Whether it means the ``path``, relative to its source, whose last part is ``name``."""
        if self.folders_only and not is_folder:
            return False
        return self.regex.fullmatch(name if self.by_name else path) is not None


@dataclass(frozen=True, slots=True)
class Excludes:
    """All patterns of a backup."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Excludes":
        """Read patterns that are separated by commas, ``\\,`` being a comma. Raises PatternInvalid."""
        patterns = []
        for part in re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL):
            if not (pattern := part.strip()):
                continue
            try:
                patterns.append(Pattern.of(pattern))
            except PatternInvalid as error:
                raise PatternInvalid(f"the pattern {pattern!r} cannot be used: {error}") from None
        return cls(tuple(patterns))

    @property
    def texts(self) -> tuple[str, ...]:
        """The patterns as they were given."""
        return tuple(pattern.text for pattern in self.patterns)

    def fits(self, path: str, name: str, is_folder: bool) -> bool:
        """Whether any pattern means the ``path`` (see ``Pattern.fits``)."""
        return any(pattern.fits(path, name, is_folder) for pattern in self.patterns)


def _regex(segments: Sequence[str]) -> str:
    """The regular expression of a pattern's parts between the slashes."""
    parts = []
    last = len(segments) - 1
    for number, segment in enumerate(segments):
        if re.fullmatch(r"\*{2,}", segment):
            # It stands for any folders, also for none; at the end for all that is in one.
            parts.append(".+" if number == last else "(?:.*/)?")
            continue
        parts.append(_segment_regex(_tokens(segment)) + ("" if number == last else "/"))
    return "".join(parts)


def _segment_regex(tokens: _Tokens) -> str:
    """The regular expression of one part, made so that many stars cost no more than few.

    Between two stars the first place that fits is as good as any, so that nothing need be tried twice.
    """
    fixed: list[str] = [""]
    for token in tokens:
        if token is _STAR:
            fixed.append("")
        else:
            fixed[-1] += token
    first, *rest = fixed
    if not rest:
        return first
    return first + "".join(f"(?>[^/]*?{part})" for part in rest[:-1] if part) + f"[^/]*{rest[-1]}"


def _tokens(segment: str) -> _Tokens:
    tokens: _Tokens = []
    position = 0
    while position < len(segment):
        character = segment[position]
        position += 1
        if character == "*":
            tokens.append(_STAR)
        elif character == "?":
            tokens.append("[^/]")
        elif character == "[":
            token, position = _class(segment, position)
            tokens.append(token)
        elif character == "\\":
            if position == len(segment):
                raise PatternInvalid("it ends with a '\\' that has nothing to escape")
            tokens.append(re.escape(segment[position]))
            position += 1
        else:
            tokens.append(re.escape(character))
    return tokens


def _class(segment: str, position: int) -> tuple[str, int]:
    """The regular expression of the ``[…]`` that begins before ``position``, and where it ends."""
    negated = segment[position : position + 1] in ("!", "^")
    position += negated
    items: list[str] = []
    begin = position
    while True:
        if position >= len(segment):
            raise PatternInvalid("a '[' in it is not closed by ']' (write '\\[' for the character)")
        if segment[position] == "]" and position > begin:
            break
        if segment.startswith("[:", position):
            raise PatternInvalid("classes such as [:alpha:] are not known")
        low, position = _literal(segment, position)
        high = low
        if segment[position : position + 1] == "-" and segment[position + 1 : position + 2] not in ("", "]"):
            high, position = _literal(segment, position + 1)
        if low <= high:
            items.append(f"{re.escape(low)}-{re.escape(high)}")
    position += 1
    if not items:
        return ("[^/]" if negated else "(?!)"), position
    members = f"[{'^' if negated else ''}{''.join(items)}]"
    return f"(?!/){members}", position


def _literal(segment: str, position: int) -> tuple[str, int]:
    """The character at ``position`` of a class, which a ``\\`` may stand before, and what comes after."""
    if segment[position] == "\\":
        position += 1
        if position >= len(segment):
            raise PatternInvalid("it ends with a '\\' that has nothing to escape")
    return segment[position], position + 1
