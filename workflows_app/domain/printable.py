"""Text on one line that steers nothing, for terminals and messages."""


def printable(text: str) -> str:
    """Answer ``text`` with what cannot be printed written as Python does (``\\n``, ``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
