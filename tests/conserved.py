"""What no run may lose or make: connections, buckets, routes, time."""

from collections import defaultdict

import numpy as np

from simbgp.measure import Observed
from simbgp.timeline import RouteChanged, ServiceAdded
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.history import History

_FATES = ("unaffected", "delayed", "reset", "timed_out", "not_opened")


def connections(run: Observed) -> None:
    """Each ends in one way; every row holds no more than there are; a fault has no more of any outcome than the run."""
    for row in run.outcomes:
        assert all(getattr(row, fate) >= 0 for fate in (*_FATES, "refused", "moved"))
        assert row.refused <= row.not_opened
        assert row.moved <= row.total
    for whole in (row for row in run.outcomes if row.fault is None):
        assert sum(getattr(whole, fate) for fate in _FATES) == whole.total
        of_faults = [row for row in run.outcomes if row.fault is not None and row.service == whole.service]
        for fate in _FATES[1:]:
            assert sum(getattr(row, fate) for row in of_faults) <= getattr(whole, fate)


def buckets(run: Observed) -> None:
    """Each hash and each bucket has one owner, and it is a member at that moment; or the group is empty."""
    history = History(run.plan, run.timeline)
    hashes = np.linspace(0, 2**32 - 1, 97).astype(np.uint32)
    for router in run.plan.routers:
        for prefix in {prefix for service in run.plan.services for prefix in service.prefixes}:
            for group in history.groups(router.name, prefix).values:
                assert group.skipped <= set(group.members)
                assert len(set(group.members)) == len(group.members)
                if group.table:
                    owned = [group.buckets_of(place) for place in range(len(group.members))]
                    assert sum(owned) == router.ecmp.buckets
                elif group.members and router.ecmp.hash != "resilient":
                    dealt = next_hop_group(router.ecmp.hash, (1,) * len(group.members))
                    assert sum(dealt.sizes()) == 2**32
                    assert set(dealt.owners(hashes)) <= set(range(len(group.members)))


def routes(run: Observed) -> None:
    """What is installed is what was there, plus what was added, less what was withdrawn: each path by turns."""
    if any(isinstance(fact, ServiceAdded) for fact in run.timeline):
        return
    installed = defaultdict(lambda: False)
    for router, table in run.timeline.start.next_hops.items():
        for prefix, nodes in table.items():
            installed |= {(router, prefix, node): True for node in nodes}
    for fact in run.timeline.of(RouteChanged):
        if fact.event in ("added", "withdrawn"):
            path = fact.router, fact.prefix, fact.node
            assert installed[path] == (fact.event == "withdrawn")
            installed[path] = fact.event == "added"
    history = History(run.plan, run.timeline)
    for router in run.plan.routers:
        for service in run.plan.services:
            for prefix in service.prefixes:
                left = history.next_hops(router.name, prefix).at(run.plan.horizon_us)
                assert set(left) == {
                    n for (r, p, n), is_in in installed.items() if is_in and (r, p) == (router.name, prefix)
                }


def time(run: Observed) -> None:
    """Facts follow each other; windows of one prefix at one router lie apart, within the horizon."""
    times = [fact.time_us for fact in run.timeline]
    assert times == sorted(times)
    assert all(0 <= moment <= run.plan.horizon_us for moment in times)
    ends: dict[tuple[str, str], int] = defaultdict(int)
    for hole in sorted(run.windows, key=lambda window: window.start_us):
        assert hole.start_us >= ends[hole.router, hole.prefix]
        ends[hole.router, hole.prefix] = hole.start_us + hole.duration_us
        assert hole.duration_us > 0
        assert 0 < hole.share <= 1
        assert hole.censored == (hole.end_us is None)
        assert ends[hole.router, hole.prefix] <= run.plan.horizon_us


LAWS = (connections, buckets, routes, time)
