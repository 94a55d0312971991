"""A mutant takes the place of a function in this process, wherever that function is known already.

The code of a function object is exchanged, so every name under which it was imported, every decorator around it and
every bound method of it sees the mutant. What was computed from it at import time does not; closures made before stay.
"""

import gc
from collections import defaultdict
from types import CodeType, FunctionType

from benchmarks.mutation.mutants import ROOT, Mutant

Place = tuple[str, str]


class Functions:
    """All functions of the mutated files that are alive, by file and qualified name."""

    def __init__(self, files: list[str]):
        names = {str(ROOT / file): file for file in files}
        self._alive: dict[Place, list[FunctionType]] = defaultdict(list)
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in names:
                self._alive[names[thing.__code__.co_filename], thing.__code__.co_qualname].append(thing)

    def put(self, mutant: Mutant) -> bool:
        """Put ``mutant`` in place; False if its function is nowhere or cannot be exchanged."""
        compiled = compile(mutant.source(), str(ROOT / mutant.file), "exec", dont_inherit=True)
        new = {(code.co_qualname, code.co_firstlineno): code for code in _codes(compiled)}
        put = False
        for function in self._alive[mutant.file, mutant.function]:
            old = function.__code__
            code = new.get((old.co_qualname, old.co_firstlineno))
            if code is not None and code.co_freevars == old.co_freevars:
                function.__code__ = code
                put = True
        return put


def _codes(code: CodeType) -> list[CodeType]:
    """The code of functions and methods in ``code``, those inside of functions left out."""
    found = []
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found.append(const)
            found += _codes(const) if _is_class(const) else []
    return found


def _is_class(code: CodeType) -> bool:
    return "__qualname__" in code.co_names and "__module__" in code.co_names
