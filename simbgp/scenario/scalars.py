"""What an unquoted word of a YAML file means: the core schema of YAML 1.2 (§10.3)."""

import math
import re
from typing import Any

_MAX_DIGITS = 400
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


MAYBE_NO_TEXT = frozenset("0123456789+-.~nNtTfF")
"""What a word begins with that may be a number, a truth value or null."""


def scalar_value(text: str) -> Any:
    """What an unquoted scalar means in the YAML 1.2 core schema. ValueError for a number of absurd length."""
    if text and text[0] not in MAYBE_NO_TEXT:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits; allowed: at most {_MAX_DIGITS}")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        lower = text.lower()
        return float(lower.replace(".inf", "inf").replace(".nan", "nan"))
    return text


def is_word(text: str) -> bool:
    """Whether an unquoted scalar would mean just this text, and nothing else."""
    try:
        return scalar_value(text) is text
    except ValueError:
        return False


def joined(text: str) -> str:
    r"""Halves of one character, which JSON writes as ``\ud83d\ude00``, put together. ValueError for a lone half."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("half of a UTF-16 surrogate pair is not a character") from None


def is_number(value: object) -> bool:
    """Whether a YAML value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
