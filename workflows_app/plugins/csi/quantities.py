"""Sizes as Kubernetes writes them (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|Ti|Pi|Ei|[kMGTPE]|[eE][0-9]{1,2})?")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def bytes_of(quantity: str) -> int | None:
    """How many bytes a quantity is, the next whole number above; None for what is no size."""
    match = _QUANTITY.fullmatch(quantity.strip())
    if match is None:
        return None
    amount, unit = Decimal(match[1]), match[2] or ""
    if unit in _BINARY:
        amount *= 1024 ** _BINARY[unit]
    elif unit in _DECIMAL:
        amount *= 1000 ** _DECIMAL[unit]
    elif unit:
        amount *= Decimal(10) ** int(unit[1:])
    return int(amount.to_integral_value(rounding="ROUND_CEILING"))


def larger(one: str, other: str) -> str:
    """The larger of two quantities; the first where the second is no size."""
    mine, theirs = bytes_of(one), bytes_of(other)
    return other if theirs is not None and (mine is None or theirs > mine) else one
