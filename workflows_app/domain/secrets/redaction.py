"""Takes credentials out of text before anyone can read it."""

import re
from collections.abc import Iterable, Iterator

MASK = "***"
# A shorter secret would turn up in innocent words, and tell more by its gaps than by itself.
SHORTEST_SECRET = 6

# One of these is in every text that the patterns below change (in lower case). Looking for them is many
# times quicker than a regular expression, and most lines have none.
_HINTS = ("pass", "pwd", "secret", "token", "key", "authorization", "://")

# Everything that is repeated below is bounded, or one class of characters before something optional, so
# no text, however hostile, takes more than linear time.
_NAME = re.compile(
    r"""
    (?P<name>
        password | passwd | passphrase
      | (?<![a-z])pass(?=\s?=)
      | _pwd | pwd(?![=:]\s?/)                       # but PWD=/home/x is a folder
      | secret (?:[_-]?access)? (?:[_-]?key)?
      | token
      | (?:api|access|private|encryption) [_-]? key
      | authorization
    )
    (?: (?:\\?["'])? \s{0,8} (?: => | :?= | : ) \s{0,8}  # name=value, "name": "value"
      | (?P<gap> \s{1,8} | (?:\\?["'])? , \s{0,8} )      # --name value, and lists: --name,value
    )
    """,
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_VALUE = re.compile(
    r"""
      \\["'] (?P<escaped> [^"'\\]* )               # quoted within a quoted text
    | " (?P<double> [^"\\]* (?: \\. [^"\\]* )* )
    | ' (?P<single> [^'\\]* (?: \\. [^'\\]* )* )
    | (?P<bare> [^\s"']+ (?: ["'] [^\s"']+ )* )      # a quote inside a word belongs to it
    """,
    re.VERBOSE | re.DOTALL,
)
_ITEM = re.compile(r"""(?P<bare>[^\s"',]+)""")
_REST_OF_LINE = re.compile(r"(?P<rest>[^\r\n]+)")
_SCHEME = re.compile(r"(?:bearer|basic|token|negotiate)\s{1,8}", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"""(?<=://)[^\s/?#"'<>]+""")

# What closes a sentence or a bracket around a value rather than the value.
_CLOSING = "])},;."
_OPTION = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_LONGEST_OPTION = 40


class Redactor:
    """Replaces credentials in text by ``***``.

    ``secrets`` are values known to be secret: whatever one of at least 6 characters covers is replaced; of
    one with several lines, each such line. So is what follows the usual names of credentials
    (``password=…``, ``"token": "…"``, ``--api-key …``, ``PGPASSWORD=…``, ``Authorization: Bearer …``), and
    the password in an address (``postgres://user:…@host``). The names stay. In doubt, too much is replaced
    rather than too little. The time it takes is linear in the length of the text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {value.strip() for secret in secrets for value in (secret, *secret.splitlines())}
        self._secrets = tuple(sorted(value for value in values if len(value) >= SHORTEST_SECRET))

    def redact(self, text: str) -> str:
        """Answer ``text`` without its credentials."""
        for secret in self._secrets:
            if secret in text:
                text = self._without_secrets(text)
                break
        lower = text.lower()
        for hint in _HINTS:
            if hint in lower:
                return _without_named(_AUTHORITY.sub(_without_password, text))
        return text

    def _without_secrets(self, text: str) -> str:
        """Replace what the secrets cover together, so that of two that overlap no rest stays."""
        pieces: list[str] = []
        done = 0
        for begin, end in sorted(span for secret in self._secrets for span in _spans(secret, text)):
            if begin >= done:
                pieces += (text[done:begin], MASK)
            done = max(done, end)
        return "".join((*pieces, text[done:]))


def _spans(secret: str, text: str) -> Iterator[tuple[int, int]]:
    """Where ``text`` is covered by ``secret``, which may overlap itself."""
    begin = end = text.find(secret)
    while end >= 0:
        end += len(secret)
        following = text.find(secret, begin + 1)
        while begin < following < end:
            end = following + len(secret)
            following = text.find(secret, following + 1)
        yield begin, end
        begin = end = following


def _without_password(authority: re.Match[str]) -> str:
    """``user:password@host`` without the password."""
    login, at, host = authority[0].rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{user}:{MASK}@{host}" if at and colon else authority[0]


def _without_named(text: str) -> str:
    """Replace the value after each name of a credential."""
    pieces: list[str] = []
    done = position = 0
    while name := _NAME.search(text, position):
        position = name.end()
        span = _value_of(name)
        if span is not None:
            begin, end = span
            pieces += (text[done:begin], MASK)
            done = position = end
    return "".join((*pieces, text[done:]))


def _value_of(name: re.Match[str]) -> tuple[int, int] | None:
    """Where the value of a credential is, without its quotes; None when there is none."""
    text, begin, gap = name.string, name.end(), name["gap"]
    if gap is not None and (text.startswith("-", begin) or not _is_option(text, name.start())):
        return None
    kind = name["name"].lower()
    pattern = _VALUE
    if kind in ("authorization", "token") and (scheme := _SCHEME.match(text, begin)):
        begin = scheme.end()
    elif not text.startswith(('"', "'", "\\"), begin):
        if kind == "authorization":
            pattern = _REST_OF_LINE
        elif gap is not None and "," in gap:
            pattern = _ITEM
    value = pattern.match(text, begin)
    if value is None or value.lastgroup is None:
        return None
    begin, end = value.span(value.lastgroup)
    if value.lastgroup == "bare":
        end = begin + len(text[begin:end].rstrip(_CLOSING))
    return (begin, end) if begin < end else None


def _is_option(text: str, at: int) -> bool:
    """Whether the word at ``at`` begins, perhaps some letters before, with a dash: ``--db-password``."""
    before = text[max(0, at - _LONGEST_OPTION) : at]
    return before[len(before.rstrip(_OPTION)) :].startswith("-")
