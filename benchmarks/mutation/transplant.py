"""A mutant takes the place of a function in this process, wherever that function is known already.

The code of a function object is exchanged, so every name under which it was imported, every decorator around it and
every bound method of it sees the mutant; so does a closure that it made at import time. What else was computed from it
then does not.
"""

import gc
from collections import defaultdict
from collections.abc import Iterator
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
        new: dict[tuple[str, int], list[CodeType]] = defaultdict(list)
        for code in _codes(compiled):
            new[code.co_qualname, code.co_firstlineno].append(code)
        put = False
        for (file, name), functions in self._alive.items():
            if file != mutant.file or name.partition(".<locals>")[0] != mutant.function:
                continue
            for function in functions:
                old = function.__code__
                codes = new[old.co_qualname, old.co_firstlineno]
                if len(codes) == 1 and codes[0].co_freevars == old.co_freevars:  # two lambdas of a line look alike
                    function.__code__ = codes[0]
                    put = True
        return put


def _codes(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)
