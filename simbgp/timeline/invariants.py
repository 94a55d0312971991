"""Assertions that stay on in production: a breach ends the program with exit code 3, never with a wrong number."""


class BrokenInvariantError(Exception):
    """Something that must always hold did not; the result of the run cannot be trusted."""


def require(condition: bool, what: str, *of: object) -> None:
    """Raise `BrokenInvariantError` naming ``what`` unless ``condition`` holds.

    What is asserted of every fact leaves ``{}`` in its words for what it speaks ``of`` (`str.format`): to put them
    together takes longer than to assert, and nobody reads them.
    """
    if not condition:
        raise BrokenInvariantError(what.format(*of) if of else what)
