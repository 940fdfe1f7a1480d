"""Comments in the text of a configuration's file."""

import re

# Strings first: what looks like a comment inside of one is none. One that nobody closes goes on to the end of
# its line, or of the text: so each character is looked at once.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|(?P<comment>\#[^\n]*)",
    re.DOTALL,
)


def comments_in(text: str) -> dict[int, str]:
    """Answer the comments of a TOML text by their line, from 1; each from its ``#`` on."""
    found: dict[int, str] = {}
    line = at = 0
    for token in _TOKEN.finditer(text):
        if token["comment"]:
            line += text.count("\n", at, token.start())
            at = token.start()
            found[line + 1] = token["comment"].rstrip()
    return found
