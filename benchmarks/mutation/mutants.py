"""Every small change to a function of one file: mutmut's operators, and where in the source they apply.

mutmut's own driver leaves out decorated functions, so no property and no cached function would be tried; and it calls
each function through a trampoline. Here only its operators are used; `transplant` puts one changed function in place.
"""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[2]
ROOMS = ("simbgp/model/bgp", "simbgp/traffic", "simbgp/measure")
_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Parameters)
"""What is evaluated when the module is imported, before a mutant is in place, or by nobody but mypy."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. ``before`` and ``after`` are the changed lines, ``nth`` counts equal changes in one function."""

    file: str
    function: str
    line: int
    statement: tuple[int, int]
    before: str
    after: str
    nth: int
    operator: str
    digest: str
    change: tuple[CodeRange, str]

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What names it, even after lines above it have come or gone."""
        return self.file, self.function, self.before, self.after, self.nth

    def source(self) -> str:
        """The whole file with the change."""
        return splice((ROOT / self.file).read_text(), *self.change)


def splice(source: str, where: CodeRange, text: str) -> str:
    """``source`` with ``text`` in the place of what stands at ``where``."""
    lines = source.splitlines(keepends=True)
    first, last = where.start, where.end
    head = "".join(lines[: first.line - 1]) + lines[first.line - 1][: first.column]
    tail = lines[last.line - 1][last.column :] + "".join(lines[last.line :])
    return head + text + tail


def files(names: list[str]) -> list[str]:
    """The files that ``names`` (``traffic``, ``measure/units.py``, ``simbgp/model/bgp``) stand for, or all rooms."""
    found: list[str] = []
    for name in names or list(ROOMS):
        path = ROOT / "simbgp" / name.removeprefix("simbgp/")
        below = sorted(path.glob("*.py")) if path.is_dir() else [path]
        if not below or not all(file.is_file() for file in below):
            raise FileNotFoundError(f"no module {name}; give folders or files below simbgp/, such as {ROOMS[0]}")
        found += [str(file.relative_to(ROOT)) for file in below]
    return list(dict.fromkeys(found))


def mutants(file: str) -> list[Mutant]:
    """All mutants of one file, in the order of its lines."""
    source = (ROOT / file).read_text()
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Visitor(file, source, wrapper.module)
    wrapper.visit(visitor)
    return visitor.found


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, file: str, source: str, module: cst.Module):
        super().__init__()
        self.file, self.source, self.module = file, source, module
        self.found: list[Mutant] = []
        self._scopes: list[cst.FunctionDef | cst.ClassDef] = []
        self._statements: list[int] = []
        self._same: Counter[tuple[str, str, str]] = Counter()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _LEFT_ALONE) or _is_docstring(node) or _is_a_question(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append(node)
        if isinstance(node, cst.BaseStatement):
            self._statements.append(self._at(node).start.line)
        if self._function is not None:
            self._mutate(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._scopes and original_node is self._scopes[-1]:
            self._scopes.pop()
        if isinstance(original_node, cst.BaseStatement):
            self._statements.pop()

    @property
    def _function(self) -> cst.FunctionDef | None:
        """The outermost function: what `transplant` can exchange."""
        return next((scope for scope in self._scopes if isinstance(scope, cst.FunctionDef)), None)

    def _name(self) -> str:
        outer = [scope.name.value for scope in self._scopes]
        return ".".join(outer[: self._scopes.index(self._function) + 1])  # type: ignore[arg-type]

    def _at(self, node: cst.CSTNode) -> CodeRange:
        where: CodeRange = self.get_metadata(PositionProvider, node)
        return where

    def _mutate(self, node: cst.CSTNode) -> None:
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    self._add(node, changed, operator.__name__.removeprefix("operator_"))

    def _add(self, node: cst.CSTNode, changed: cst.CSTNode, operator: str) -> None:
        where = self._at(node)
        text = self.module.code_for_node(changed)
        if isinstance(changed, cst.Match):
            text = text.rstrip("\n").replace("\n", "\n" + " " * where.start.column)
        spliced = splice(self.source, where, text)
        lines, new = self.source.splitlines(), spliced.splitlines()
        grown = len(new) - len(lines)
        before = " ".join(" ".join(lines[where.start.line - 1 : where.end.line]).split())
        after = " ".join(" ".join(new[where.start.line - 1 : where.end.line + grown]).split())
        name = self._name()
        self._same[name, before, after] += 1
        digest = blake2b(self.module.code_for_node(self._function).encode(), digest_size=8).hexdigest()  # type: ignore[arg-type]
        self.found.append(
            Mutant(
                self.file,
                name,
                where.start.line,
                (self._statements[-1], where.end.line),
                before,
                after,
                self._same[name, before, after],
                operator,
                digest,
                (where, text),
            )
        )


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)


def _is_a_question(node: cst.CSTNode) -> bool:
    """`len` and `isinstance`, which mutmut leaves alone too: without their argument they raise, whatever the tests."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in ("len", "isinstance")
