"""Secrets at rest: sealed in the database and in Temporal, opened on the worker that uses them."""

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from workflows_app.domain.errors import FossulError
from workflows_app.domain.secrets.references import SEALED, is_sealed


class SealBroken(FossulError):
    """A sealed value cannot be opened with the keys at hand."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be opened: FOSSUL_SECRETS_KEY here is not the key that sealed it. Set "
            "the same key for the dashboard and every worker, or enter the secret anew."
        )


class Seals:
    """Seals and opens texts (Fernet: AES-128-CBC with HMAC-SHA256).

    ``keys`` are texts of any form. The first seals; all of them open, so that a new key can be put before
    the old one until everything is sealed anew.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_key(key)) for key in keys])

    def seal(self, text: str) -> str:
        """Answer ``text`` sealed by the first key, also what is sealed already. Raises SealBroken."""
        plain = self.open(text)
        return SEALED + self._fernet.encrypt(plain.encode()).decode()

    def open(self, text: str) -> str:
        """Answer what was sealed; a text that is not sealed is answered as it is. Raises SealBroken."""
        if not is_sealed(text):
            return text
        try:
            return self._fernet.decrypt(text.removeprefix(SEALED).encode()).decode()
        except InvalidToken:
            raise SealBroken from None


def _key(text: str) -> bytes:
    """A key as Fernet wants it, from any text: 32 bytes. The text must have the entropy, not the form."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
