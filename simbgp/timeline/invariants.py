"""Assertions that stay on in production: a breach ends the program with exit code 3, never with a wrong number."""


class BrokenInvariantError(Exception):
    """Something that must always hold did not; the result of the run cannot be trusted."""


def require(condition: bool, what: str) -> None:
    """Raise `BrokenInvariantError` naming ``what`` unless ``condition`` holds."""
    if not condition:
        raise BrokenInvariantError(what)
