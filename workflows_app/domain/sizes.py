"""Sizes as people read them."""


def size_words(size: float) -> str:
    """Answer a number of bytes in binary units: ``512 B``, ``48.0 MiB``."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        # What would be rounded to 1024.0 belongs to the next unit.
        if size < 1023.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} PiB"
