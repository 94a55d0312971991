"""Maglev tables and slots equal Cilium's own."""

import json
import sys
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import mmh3
import numpy as np
import pytest

from simbgp.traffic import maglev, maglev_slot, maglev_table
from simbgp.traffic.maglev import seed_words

DATA = Path(__file__).parent / "data" / "maglev"
CASES: list[dict[str, Any]] = [
    case
    for file in ("m251", "m1021", "m16381", "cilium_own_tests")
    for case in json.loads((DATA / f"{file}.json").read_text())
]
MURMUR: dict[str, Any] = json.loads((DATA / "murmur3.json").read_text())
FLOWS: list[dict[str, Any]] = json.loads((DATA / "flow_hash.json").read_text())["vectors"]
KEYS = [f"[10.0.0.{i}:8080/TCP,State:active]" for i in range(1, 13)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_table_is_that_of_cilium_bit_for_bit(case: dict[str, Any]) -> None:
    backends = case["backends"]
    weights = [backend["weight"] for backend in backends]
    table = maglev_table([backend["hash_string"] for backend in backends], case["m"], weights, case["seed_b64"])
    ids = np.array([backend["id"] for backend in backends], dtype="<u4")[table]
    assert sha256(ids.tobytes()).hexdigest() == case["sha256_le_u32"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_few_tables_of_a_run_need_no_compiler_and_are_the_same(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backends = case["backends"]
    weights = [backend["weight"] for backend in backends]
    keys = [backend["hash_string"] for backend in backends]
    compiled = maglev_table(keys, case["m"], weights, case["seed_b64"])
    monkeypatch.setattr(maglev, "_compiled", lambda: pytest.fail("asked for the compiler"))
    assert np.array_equal(maglev.Tables().make(keys, case["m"], weights, case["seed_b64"]), compiled)


def test_where_numba_cannot_be_imported_plain_python_makes_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = maglev_table(KEYS, 1021)
    monkeypatch.setitem(sys.modules, "numba", None)
    maglev._compiled.cache_clear()
    assert maglev._compiled() is None
    assert np.array_equal(maglev_table(KEYS, 1021), expected)
    monkeypatch.undo()
    maglev._compiled.cache_clear()


def test_after_a_hundred_tables_the_compiler_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(maglev, "_compiled", lambda: asked.append(1))
    tables = maglev.Tables()
    for _ in range(101):
        tables.make(KEYS, 251)
    assert asked == [1]


def test_the_seed_has_the_words_that_cilium_reads_in_it() -> None:
    names = "seed_murmur", "seed_jhash0", "seed_jhash1"
    assert seed_words(MURMUR["default_seed_b64"]) == tuple(MURMUR[name] for name in names)


@pytest.mark.parametrize("vector", MURMUR["vectors"], ids=lambda vector: f"{vector['s'] or 'empty'}-{vector['seed']}")
def test_the_library_hashes_as_ciliums_murmur3_does(vector: dict[str, Any]) -> None:
    found = mmh3.hash64(vector["s"], vector["seed"], x64arch=True, signed=False)
    assert found == (int(vector["h1"], 16), int(vector["h2"], 16))


def test_weights_2_13_111_10_own_16_98_832_75_of_1021_slots() -> None:
    # the counts that TestWeightedBackendWithRemoval expects, and not 1021/136 times the weight: 15, 98, 833, 75
    case = next(case for case in CASES if case["name"] == "cilium-TestWeightedBackendWithRemoval-before")
    keys = [backend["hash_string"] for backend in case["backends"]]
    table = maglev_table(keys, 1021, [backend["weight"] for backend in case["backends"]])
    assert sorted(np.bincount(table).tolist()) == [16, 75, 98, 832]


def test_the_order_of_the_keys_does_not_matter() -> None:
    shuffled = Random(3).sample(KEYS, len(KEYS))
    ordered = [KEYS[place] for place in maglev_table(KEYS, 1021)]
    assert [shuffled[place] for place in maglev_table(shuffled, 1021)] == ordered


@pytest.mark.parametrize("count", [1, 2, 3, 10, 12])
def test_equal_backends_differ_by_at_most_one_slot(count: int) -> None:
    # Eisenbud et al. §3.4: each gets floor(M/N) or ceil(M/N)
    slots = np.bincount(maglev_table(KEYS[:count]))
    assert {16381 // count, -(-16381 // count)} >= set(slots.tolist())
    assert slots.sum() == 16381


def test_weights_that_sum_to_less_than_twice_the_backends_are_not_heeded() -> None:
    # Cilium compares weightSum / backends > 1 in integers: (1+1+1+2) // 4 = 1 is not, (1+1+1+5) // 4 = 2 is
    plain = maglev_table(KEYS[:4], 251)
    assert np.array_equal(maglev_table(KEYS[:4], 251, [1, 1, 1, 2]), plain)
    assert not np.array_equal(maglev_table(KEYS[:4], 251, [1, 1, 1, 5]), plain)


def test_of_more_keys_than_slots_the_first_in_string_order_get_one_each() -> None:
    keys = [f"[10.0.{i // 250}.{i % 250}:80/TCP,State:active]" for i in range(300)]
    owners = {keys[place] for place in maglev_table(keys, 251)}
    assert owners == set(sorted(keys)[:251])


def test_without_keys_there_is_no_slot() -> None:
    assert len(maglev_table([])) == 0


@pytest.mark.parametrize("seed", ["AAAA", "not base64!"])
def test_a_seed_of_other_than_12_bytes_is_refused(seed: str) -> None:
    with pytest.raises(ValueError, match=r"12 bytes|base64"):
        maglev_table(KEYS, seed=seed)


def test_one_weight_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="1 weights for 2 keys"):
        maglev_table(KEYS[:2], weights=[1])


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow['client']}-{flow['hash_u32']}")
def test_a_slot_is_that_of_ciliums_datapath(flow: dict[str, Any]) -> None:
    protocol = {6: "TCP", 17: "UDP"}[flow["proto"]]
    ports = flow["client_port"], flow["service_port"]
    slots = {
        size: maglev_slot(flow["client"], *ports, protocol, int(size), session_affinity=flow["session_affinity"])  # type: ignore[arg-type]
        for size in flow["slot_by_m"]
    }
    assert slots == flow["slot_by_m"]
