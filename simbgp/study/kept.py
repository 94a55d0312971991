"""Records as they are kept on disk: sealed against a lost byte, and checked as what anybody may have written."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from simbgp.measure import Value
from simbgp.study.batch import Batch, Part
from simbgp.study.replay import Job, Record
from simbgp.study.rows import COLUMNS, Row, Rows

_MOST = 2**63


def sealed(body: str) -> bytes:
    """``body``, which is JSON, in a JSON object that tells when a byte of it is lost or changed."""
    inner = body.encode()
    return b'{"blake2b": "%b", "records": %b}\n' % (_digest(inner), inner)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).hexdigest().encode()


def written(part: Part) -> bytes:
    """The records of a part."""
    return sealed(json.dumps([[_plain(record) for record in of_job] for of_job in part]))


def _plain(record: Record) -> list[Any]:
    return [record.values, record.rows.tables, record.rows.left_out, record.used_luck]


def read(whole: bytes, batch: Batch, part: range) -> list[list[Record]]:
    """The records of ``part`` for each job of ``batch``. ValueError if they are not what `written` wrote of one."""
    inner = whole[len(sealed("")) - 2 : -2]
    if whole != sealed(inner.decode()):
        raise ValueError("the digest is another")
    try:
        found = json.loads(inner)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, list) or len(found) != len(batch.jobs):
        raise ValueError("other jobs")
    of_jobs = zip(batch.jobs, batch.runs, found, strict=True)
    return [list(_records([run for run in part if run < runs], job, records)) for job, runs, records in of_jobs]


def _records(runs: Sequence[int], job: Job, records: Any) -> Iterator[Record]:
    """One job may have fewer runs than others."""
    if not isinstance(records, list) or len(records) != len(runs):
        raise ValueError("other runs")
    for run, record in zip(runs, records, strict=True):
        if not isinstance(record, list) or len(record) != 4:
            raise ValueError("no record")
        values, tables, left_out, used_luck = record
        if not isinstance(values, list) or len(values) != len(job.questions):
            raise ValueError("other questions")
        if not isinstance(tables, dict) or set(tables) != job.tables:
            raise ValueError("other tables")
        if type(left_out) is not int or not 0 <= left_out < _MOST or not isinstance(used_luck, bool):
            raise ValueError("no count")
        rows = {table: [_row(table, run, row) for row in _listed(found)] for table, found in tables.items()}
        yield Record(run, tuple(map(_value, values)), Rows(rows, left_out), used_luck)


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError("no rows")
    return found


def _value(found: Any) -> Value | None:
    if found is None:
        return None
    if not isinstance(found, list) or len(found) != 2 or not _is_number(found[0]) or not isinstance(found[1], bool):
        raise ValueError("no value")
    return Value(*found)


def _row(table: str, run: int, row: Any) -> Row:
    columns = COLUMNS[table]
    if not isinstance(row, list) or len(row) != len(columns) or type(row[0]) is not int or row[0] != run:
        raise ValueError("no row")
    if not all(map(_is_sound, columns, row)):
        raise ValueError("no such cell")
    return tuple(row)


def _is_sound(column: str, cell: Any) -> bool:
    """Whether a cell may be of a column: seconds and shares are numbers, names can be printed."""
    if cell is None:
        return True
    if isinstance(cell, Mapping):
        return column.endswith("delay_s") and all(map(_is_number, cell.values()))
    if isinstance(cell, str):
        return cell.isprintable() and not column.endswith(("_s", "share"))
    return (column == "censored") if isinstance(cell, bool) else _is_number(cell)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return False
    return abs(cell) < _MOST if isinstance(cell, int) else math.isfinite(cell)
