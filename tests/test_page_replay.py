"""What the page's replay looks up is what the timeline has."""

import pytest
from study_worlds import HOPS, WEB, observed, scenario

import simbgp
from simbgp.report.page.network import network
from simbgp.report.page.picture import picture
from simbgp.report.page.replay import replay, replayed
from simbgp.report.page.tracks import Track, Tracks
from simbgp.timeline import RouteChanged

HOLD_9 = {"cluster.timers.holdTimeSeconds": 9, "cluster.gracefulRestart.restartTimeSeconds": 20}


@pytest.fixture(scope="module")
def dead_node():
    return simbgp.run(scenario().with_(**HOLD_9), runs=3, seed=1)


def word(data, label, time_us):
    """What the line ``label`` says at a time, found as the script finds it."""
    (place,) = (place for name, place in data["lines"] if name == label)
    times, words = data["tracks"][place]
    return data["words"][words[sum(at <= time_us for at in times) - 1]]


def test_a_track_says_what_holds_after_all_of_an_instant():
    track = Track("a")
    track.set(5, "b")
    track.set(5, "c")
    track.set(7, "c")
    track.set(9, "a")
    assert (track.times_us, track.words) == ([-1, 5, 9], ["a", "c", "a"])
    assert [track.at(time) for time in (0, 4, 5, 8, 9)] == ["a", "a", "c", "c", "a"]


def test_a_word_that_is_taken_back_within_an_instant_never_was():
    track = Track("a")
    track.set(5, "b")
    track.set(5, "a")
    assert (track.times_us, track.words) == ([-1], ["a"])


def test_packed_tracks_hold_each_word_once():
    tracks = Tracks()
    tracks.begin("x", "a")
    tracks.begin("y", "b")
    tracks.set("y", 4, "a")
    assert tracks.packed() == {"words": ["a", "b"], "tracks": [[[-1], [0]], [[-1, 4], [1, 0]]]}
    assert tracks.changes_us() == [4]


def test_the_link_of_a_dead_node_follows_its_timers(dead_node):
    # dead at 60 s; the router loses the session D later and keeps its routes as stale for the restart time of 20 s
    detected_us = 60_000_000 + round(dead_node.detection_s().values[0].value * 1e6)
    link = network(dead_node.plan, dead_node.timeline(0), [])["link tor-1 worker-1"]
    assert link.times_us == [-1, 60_000_000, detected_us, detected_us + 20_000_000]
    assert link.words == ["fresh", "fresh lost", "stale lost", "none lost"]


def test_both_ends_of_its_session_have_their_own_times(dead_node):
    detected_us = 60_000_000 + round(dead_node.detection_s().values[0].value * 1e6)
    tracks = network(dead_node.plan, dead_node.timeline(0), [])
    assert tracks["end tor-1 worker-1 node"].times_us == [-1, 60_000_000]
    assert tracks["end tor-1 worker-1 node"].words == ["up", "down"]
    assert tracks["end tor-1 worker-1 router"].times_us == [-1, detected_us]
    assert tracks["end tor-1 worker-1 router"].words == ["up", "trying"]


def test_the_lines_say_sessions_stale_routes_next_hops_and_holes(dead_node):
    data = replay(dead_node, 0).data
    detected_us = 60_000_000 + round(dead_node.detection_s().values[0].value * 1e6)
    ends_us = detected_us + 20_000_000
    hops = "next hops of web at tor-1"
    assert word(data, hops, detected_us - 1) == "4 (worker-1, worker-2, worker-3, worker-4), none stale"
    assert word(data, hops, detected_us) == "4 (worker-1, worker-2, worker-3, worker-4), stale: worker-1"
    assert word(data, hops, ends_us) == "3 (worker-2, worker-3, worker-4), none stale"
    assert word(data, "sessions at tor-1", ends_us).startswith(
        "here 3 of 4 established, worker-1 active; at the node 3"
    )
    assert word(data, "nodes", 59_999_999) == "all 4 forward, all agents run"
    assert word(data, "nodes", 60_000_000) == "silent: worker-1; agent down: worker-1"
    # a quarter of web goes to the dead node, and the others pick its pod, one of four: 1/4 + 3/4 * 1/4 = 7/16
    assert word(data, "traffic at tor-1", 59_999_999) == "none lost"
    assert "web loses 43.8 % of its traffic (dead-next-hop)" in word(data, "traffic at tor-1", 60_000_000)
    assert "10.244.1.0/24 loses all its traffic (no-route)" in word(data, "traffic at tor-1", ends_us)


def test_next_hops_agree_with_the_facts_at_every_stop(dead_node):
    data, timeline = replay(dead_node, 0).data, dead_node.timeline(0)
    for stop_us in data["stops_us"]:
        present = set(timeline.start.next_hops["tor-1"][WEB])
        for fact in timeline.of(RouteChanged):
            if fact.prefix == WEB and fact.time_us <= stop_us:
                present = present | {fact.node} if fact.event == "added" else present
                present = present - {fact.node} if fact.event == "withdrawn" else present
        assert word(data, "next hops of web at tor-1", stop_us).startswith(f"{len(present)} (")


def test_a_prefix_without_next_hops_has_none():
    run = observed(scenario().plan(), *(RouteChanged(5, "tor-1", WEB, node, "withdrawn") for node in HOPS))
    data = replayed(run.plan, run.timeline, [], []).data
    assert word(data, "next hops of web at tor-1", 5) == "no next hop"
    assert data["stops_us"] == [5]


def test_times_are_of_the_run(dead_node):
    data = replay(dead_node, 1).data
    assert (data["zero_us"], data["first_us"], data["horizon_us"]) == (60_000_000, 60_000_000, 600_000_000)
    assert data["stops_us"] == sorted({at for times, _ in data["tracks"] for at in times if at >= 0})


def test_every_shape_has_a_track_and_a_place_in_the_picture(dead_node):
    tracks = network(dead_node.plan, dead_node.timeline(0), [])
    drawn = picture(dead_node.plan, tracks)
    assert (len(drawn.boxes), len(drawn.lines), len(drawn.dots)) == (1 + 1 + 4, 1 + 4, 8)
    assert {box.track for box in drawn.boxes if box.kind == "node"} == {tracks.place(f"node {name}") for name in HOPS}
    for box in drawn.boxes:
        assert 0 <= box.x <= box.x + box.width <= drawn.width
        assert 0 <= box.y <= box.y + box.height <= drawn.height


@pytest.mark.parametrize(("nodes", "many"), [(16, False), (17, True), (500, True)])
def test_many_nodes_are_cells(nodes, many):
    run = observed(scenario(cluster__nodes=nodes).plan())
    tracks = network(run.plan, run.timeline, [])
    drawn = picture(run.plan, tracks)
    assert drawn.many is many
    assert ("cell worker-1" in tracks, "node worker-1" in tracks) == (many, not many)
    assert len([box for box in drawn.boxes if box.kind == ("cell" if many else "node")]) == nodes
    assert all(box.y + box.height <= drawn.height for box in drawn.boxes)


def test_a_cell_says_the_worst_of_its_node():
    plan = scenario(cluster__nodes=17).plan()
    run = observed(
        plan, RouteChanged(5, "tor-1", WEB, "worker-3", "stale"), RouteChanged(9, "tor-1", WEB, "worker-3", "refreshed")
    )
    cell = network(run.plan, run.timeline, [])["cell worker-3"]
    assert (cell.times_us, cell.words) == ([-1, 5, 9], ["up", "stale", "up"])
