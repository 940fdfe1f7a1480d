"""Text that hides nothing."""

import re
import unicodedata

# Joiners belong to emoji and to several scripts; they do not reorder or hide anything by themselves.
_HARMLESS = {"\t", "\u200c", "\u200d"}
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Cs"}
_NOT_ASCII_TEXT = re.compile(r"[^\t\x20-\x7e]")


def visible(text: str) -> str:
    """Answer ``text`` with what would be invisible, or would reorder it, made visible.

    A character without a shape of its own becomes its code (``⟨U+202E⟩``). The text is not marked
    safe: it is escaped like any other.
    """
    if text.isprintable():
        return text
    return _NOT_ASCII_TEXT.sub(_show, text)


def _show(match: re.Match[str]) -> str:
    character = match[0]
    if character in _HARMLESS or unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    return f"⟨U+{ord(character):04X}⟩"
