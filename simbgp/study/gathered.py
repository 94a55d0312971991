"""The records of a job, added up: values as columns of plain numbers, so that many runs take little memory."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from simbgp.measure import Question, Value
from simbgp.study.replay import Job, Record
from simbgp.study.rows import COLUMNS, Row

_NEVER, _KNOWN, _CENSORED = range(3)


class Values(Sequence[Value | None]):
    """One value per run, None where what it is of never happened; nine bytes each."""

    def __init__(self, values: Iterable[Value | None] = ()) -> None:
        self._numbers = array("d")
        self._kinds = bytearray()
        for value in values:
            self.append(value)

    def append(self, value: Value | None) -> None:
        """Add the value of the next run."""
        self._numbers.append(0.0 if value is None else value.value)
        self._kinds.append(_NEVER if value is None else _CENSORED if value.censored else _KNOWN)

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, place: int) -> Value | None: ...
    @overload
    def __getitem__(self, place: slice) -> "Values": ...
    def __getitem__(self, place: int | slice) -> "Value | Values | None":
        if isinstance(place, slice):
            return Values(self[each] for each in range(*place.indices(len(self))))
        kind = self._kinds[place]
        return None if kind == _NEVER else Value(self._numbers[place], kind == _CENSORED)


class Gathered:
    """What a job has given so far."""

    def __init__(self, job: Job) -> None:
        self.tables: dict[str, list[Row]] = {table: [] for table in COLUMNS if table in job.tables}
        self.left_out = 0
        self.runs = 0
        self.used_luck = False
        self.answers: Mapping[Question, Values] = {question: Values() for question in job.questions}

    def add(self, records: Iterable[Record]) -> None:
        """Take over the records of the next runs, in their order."""
        for record in records:
            for table, rows in record.rows.tables.items():
                self.tables[table] += rows
            for values, value in zip(self.answers.values(), record.values, strict=True):
                values.append(value)
            self.left_out += record.rows.left_out
            self.used_luck |= record.used_luck
            self.runs += 1
