"""Numbers that people or pages send as text."""


def whole_number(text: str, otherwise: int, digits: int = 9) -> int:
    """Answer the number that ``text`` is; ``otherwise`` for nonsense, or more than ``digits`` digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else otherwise
