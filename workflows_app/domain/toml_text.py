"""Text in TOML, in the form that Fossul's parser (of TOML 0.4) reads too."""

import json
import re

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_string(text: str) -> str:
    """``text`` as a basic string of TOML."""
    # A string of JSON is one of TOML, except that JSON leaves DEL as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(key: str) -> str:
    """``key`` as a key of TOML: bare where it can be."""
    return key if _BARE_KEY.fullmatch(key) else toml_string(key)
