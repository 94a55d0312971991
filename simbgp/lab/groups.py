"""Resilient next-hop groups, which no daemon of the lab makes of BGP's routes: the lab makes them of the daemon's FIB.

FRR takes ``resilience`` for groups of policy routing alone, BIRD and the others do not know it. So a daemon keeps
writing its routes as it does, and whenever the next hops of a prefix change, the lab edits a kernel group of type
``resilient`` in place (or makes a new one, as ``onChange`` says) and points a route in a table of its own at it, which
is looked up first. That route follows the daemon's by some milliseconds. In the main table zebra would take it for a
better one, and withdraw its own.
"""

from collections.abc import Iterator
from itertools import pairwise
from threading import Lock

from simbgp.lab.shell import ip, run
from simbgp.lab.topology import Link
from simbgp.scenario.plan import EcmpPlan

PROTOCOL = "77"
"""Of our own routes, by which they are told from the daemon's; one that rt_protos gives no name."""
HOPS = 770_000
"""From here on the ids of single next hops, below it those of groups: zebra counts on from the highest id it sees, so
that ours never rise."""
_LEAST_ID = 700_000
_MOST_HOPS = 1_000
TABLE = 77
_FIRST = 100
"""The table is looked up after `local` (0) and before `main` (32766)."""


class Groups:
    """The resilient groups of one router."""

    def __init__(self, space: str, ecmp: EcmpPlan, links: list[Link]) -> None:
        self._space, self._ecmp = space, ecmp
        self._hops = {link.node: (HOPS + n, link) for n, link in enumerate(links)}
        self._groups: dict[str, int] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._next = HOPS - 1
        self._lock = Lock()

    def build(self) -> None:
        """Have the table looked up."""
        version = next((link.version for _, link in self._hops.values()), 4)
        run(["ip", f"-{version}", "-n", self._space, "rule", "add", "pref", str(_FIRST), "lookup", str(TABLE)])

    def follow(self, prefix: str, nodes: tuple[str, ...]) -> None:
        """The daemon's FIB has these next hops of a prefix from now on."""
        with self._lock:
            ip(self._space, self.commands(prefix, tuple(node for node in self._hops if node in nodes)))

    def commands(self, prefix: str, nodes: tuple[str, ...]) -> list[str]:
        """What ``ip`` is told for these next hops, which stand in the order of their addresses."""
        before, fresh = self._groups.get(prefix), [n for n in nodes if n not in self._members.get(prefix, ())]
        self._members[prefix] = nodes
        if not nodes:
            self._groups.pop(prefix, None)
            gone = [f"route del {prefix} table {TABLE}", f"nexthop del id {before}"]
            return gone if before is not None else []
        return list(self._edited(prefix, nodes, fresh, before))

    def _edited(self, prefix: str, nodes: tuple[str, ...], fresh: list[str], before: int | None) -> Iterator[str]:
        replaces = before is None or self._ecmp.on_change == "new-group"
        if replaces:
            self._groups[prefix], self._next = self._next, self._next - 1
        for node in fresh:  # the kernel forgets a next hop whose interface went down
            number, link = self._hops[node]
            yield f"nexthop replace id {number} via {link.node_address} dev {link.router_device}"
        members = "/".join(str(self._hops[node][0]) for node in nodes)
        group, ecmp = self._groups[prefix], self._ecmp
        yield (
            f"nexthop replace id {group} group {members} type resilient buckets {ecmp.buckets} "
            f"idle_timer {ecmp.idle_s:g} unbalanced_timer {ecmp.unbalanced_s:g}"
        )
        yield f"route replace {prefix} nhid {group} proto {PROTOCOL} table {TABLE}"
        if replaces and before is not None:
            yield f"nexthop del id {before}"


def is_ours(line: str) -> bool:
    """Whether a line of ``ip monitor`` tells of what this module did."""
    words = line.split()
    if "proto" in words[:-1] and words[words.index("proto") + 1] == PROTOCOL:
        return True
    ids = [word for before, word in pairwise(words) if before == "id"]
    return any(word.isdigit() and _LEAST_ID <= int(word) < HOPS + _MOST_HOPS for word in ids)
