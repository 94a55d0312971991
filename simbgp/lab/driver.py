"""The driver: builds a plan, waits until all of it is up, plays a trial's faults in real time, takes all away."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

from simbgp.lab.clients import Clients
from simbgp.lab.daemons.base import Site
from simbgp.lab.daemons.frr import state_folder
from simbgp.lab.daemons.kinds import daemon_of
from simbgp.lab.dataplane.build import LINGER_S, DataPlane
from simbgp.lab.errors import LabError
from simbgp.lab.faults import Stage, Step, steps
from simbgp.lab.groups import Groups
from simbgp.lab.network import Network
from simbgp.lab.node import Node
from simbgp.lab.probes import Flow, Prober
from simbgp.lab.processes import Processes
from simbgp.lab.recorder import Recorder, Zero
from simbgp.lab.registry import Registry, remove_leftovers
from simbgp.lab.topology import Topology, topology_of
from simbgp.scenario import Plan, Trial
from simbgp.scenario.plan import RouterPlan
from simbgp.timeline import Start, Timeline
from simbgp.traffic import ServiceOutcome

SETUP_S = 20.0
"""About how long it takes until all sessions are up: GoBGP's first dial takes 5 to 9 s."""
OPENING_S = 3.0
"""Until all clients are connected."""
_PATIENCE_S = 90.0
_SETTLE_S = 2.0
_JUMP_S = 0.1
_LINGER_S = 0.3
"""After the horizon, for what was observed and not yet told."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """One repetition: the facts, and the probes with their times counted from time 0, in seconds."""

    plan: Plan
    trial: Trial
    timeline: Timeline
    flows: tuple[Flow, ...]
    up_s: float = SETUP_S
    """Age of the routers' daemons at time 0: what has just started is not as one that runs for long."""
    outcomes: tuple[ServiceOutcome, ...] = ()
    """What became of the clients' connections, in the rows that a prediction has."""


def lasts_s(plan: Plan, repeat: int) -> float:
    """About how long the lab takes for so many repetitions; with clients, as long as some may wait in the end."""
    clients_s = OPENING_S + LINGER_S if plan.traffic else 0.0
    return repeat * (SETUP_S + clients_s + plan.horizon_us / 1e6)


def measure(trial: Trial, say: Say = lambda _: None, seed: int = 0) -> Measured:
    """Play a trial on real daemons. Raises LabError; whatever happens, nothing is left on the machine."""
    for name in remove_leftovers():
        say(f"removed {name}, left by a driver that was killed")
    with _built(trial.plan) as built:
        built.wait(trial, seed)
        return built.play(trial)


@contextmanager
def _built(plan: Plan) -> Iterator["_Built"]:
    registry = Registry()
    processes = Processes(registry)
    prober = Prober()
    try:
        built = _Built(plan, registry, processes, prober)
        built.build()
        yield built
    finally:
        processes.end()
        prober.stop()
        registry.close()


class _Built:
    """A plan on the machine."""

    def __init__(self, plan: Plan, registry: Registry, processes: Processes, prober: Prober) -> None:
        self._plan, self._registry, self._processes, self._prober = plan, registry, processes, prober
        self._topology: Topology = topology_of(plan)
        self._network = Network(self._topology, registry)
        self._recorder = Recorder()
        self._nodes: dict[str, Node] = {}
        self._failed: list[Exception] = []
        self._began_s = time.time()
        self._data: DataPlane | None = None

    def build(self) -> None:
        """Namespaces, then routers, then nodes."""
        folder = Path(tempfile.mkdtemp(prefix="simbgp-lab-"))
        folder.chmod(0o755)
        states = [str(state_folder(self._network.space(router.name))) for router in self._plan.routers]
        self._registry.folders += [str(folder), *states]
        self._registry.write()
        self._network.build()
        if self._plan.traffic:
            self._data = DataPlane(self._plan, self._network, self._registry, self._processes, folder)
            self._data.build()
        for router in self._plan.routers:
            self._follow(router)
            daemon = daemon_of(router.profile.name)
            if daemon is None:
                raise LabError(f"{router.name}: no daemon plays the profile {router.profile.name}")
            daemon.make(self._site(router.name, folder)).start()
        self._aim()
        self._together([partial(self._node(node.name, folder).start, announces=False) for node in self._plan.nodes])

    def _follow(self, router: RouterPlan) -> None:
        if router.ecmp.hash == "resilient":
            links = self._topology.of_router(router.name)
            groups = Groups(self._network.space(router.name), router.ecmp, links)
            groups.build()
            self._recorder.follow[router.name] = lambda *change: self._do(partial(groups.follow, *change))

    def _site(self, router: str, folder: Path) -> Site:
        links = self._topology.of_router(router)
        peerings = {peering.node: peering for peering in self._plan.peerings if peering.router == router}
        return Site(
            plan=next(plan for plan in self._plan.routers if plan.name == router),
            namespace=self._network.space(router),
            folder=folder / self._topology.spaces[router],
            links=tuple(links),
            peerings=tuple(peerings[link.node] for link in links),
            targets=self._topology.targets[router],
            router_id=f"198.18.{self._topology.place(router)}.1",
            recorder=self._recorder,
            processes=self._processes,
        )

    def _node(self, name: str, folder: Path) -> Node:
        links = self._topology.of_node(name)
        peerings = {peering.router: peering for peering in self._plan.peerings if peering.node == name}
        self._nodes[name] = Node(
            next(plan for plan in self._plan.nodes if plan.name == name),
            self._network.space(name),
            folder / self._topology.spaces[name],
            links,
            [peerings[link.router] for link in links],
            {router.name: router for router in self._plan.routers},
            self._recorder,
            self._processes,
        )
        return self._nodes[name]

    def _aim(self) -> None:
        for router, targets in self._topology.targets.items():
            for target in targets:
                self._prober.aim(router, self._network.name(self._topology.clients[router]), target)
        held = {
            (node, target.address): target
            for ts in self._topology.targets.values()
            for target in ts
            for node in target.nodes
        }
        for (node, _), target in held.items():
            self._prober.echo(self._network.space(node), target)

    def wait(self, trial: Trial, seed: int) -> None:
        """Until every session is up at both ends, every route in the FIB and every client connected, and then for a
        random phase of the keepalives. Raises LabError naming what is missing."""
        self._wait_for(self._missing_sessions)
        for node in self._topology.spaces:
            if node in self._nodes:  # by address: zebra's groups stand in the order in which it met their members
                self._nodes[node].announce()
                self._wait_for(partial(self._missing_routes, node))
        self._prober.start()
        if self._data is not None:
            self._data.open(seed, trial.run)
        longest_s = max((peering.keepalive_s for peering in self._plan.peerings), default=0)
        time.sleep(_SETTLE_S + longest_s * random.random())

    def _wait_for(self, missing: Callable[[], Iterator[str]]) -> None:
        until = time.monotonic() + _PATIENCE_S
        while lacking := next(missing(), None):
            self._raise()
            if time.monotonic() > until:
                raise LabError(f"after {_PATIENCE_S:g} s still missing: {lacking}")
            time.sleep(0.02)

    def _missing_sessions(self) -> Iterator[str]:
        for link in self._topology.links:
            for side in ("router", "node"):
                if not self._recorder.is_up(link.router, link.node, "router" if side == "router" else "node"):
                    yield f"the session of {link.node} with {link.router}, seen by the {side}"

    def _missing_routes(self, node: str) -> Iterator[str]:
        for router, targets in self._topology.targets.items():
            known = self._recorder.prefixes(router)
            for target in targets:
                if node in set(target.nodes) - set(known.get(target.prefix, ())):
                    yield f"the route of {router} to {target.prefix} by {node}"

    def play(self, trial: Trial) -> Measured:
        """Play the faults of ``trial`` from now on until the horizon."""
        starts = _Starts(trial).pause
        stage = Stage(self._network, self._nodes, self._recorder, self._plan.speaker.name, starts, self._data)
        start = Start(views={s.name: tuple(backend.name for backend in s.backends) for s in self._plan.services})
        order = {node.name: place for place, node in enumerate(self._plan.nodes)}
        zero = self._recorder.zero(start, order)
        offset_s = _offset_s()
        clients = None if self._data is None else Clients(self._plan, self._data, stage)
        if clients is not None:
            clients.begin(zero.time_s, [fault.at_us for fault in trial.occurrences])
        self._run(steps(stage, trial.occurrences, self._plan.horizon_us), zero)
        _sleep_until(zero.time_s + self._plan.horizon_us / 1e6 + _LINGER_S)
        jumped_s = _offset_s() - offset_s
        if abs(jumped_s) > _JUMP_S:
            raise LabError(f"the machine's clock jumped by {jumped_s:.1f} s in between: measure again")
        self._prober.stop()
        flows = tuple(_from_zero(flow, zero, self._plan) for flows in self._prober.flows.values() for flow in flows)
        happened = self._recorder.timeline(zero, self._plan.horizon_us)
        outcomes = () if clients is None else clients.outcomes(happened)
        return Measured(self._plan, trial, happened, flows, zero.time_s - self._began_s, outcomes)

    def _run(self, todo: Sequence[Step], zero: Zero) -> None:
        """Each step on a thread of its own, so that none waits for another; notes at once."""
        threads = []
        for step in todo:
            _sleep_until(zero.time_s + step.at_us / 1e6)
            self._raise()
            if step.note:
                step.do()
                continue
            threads.append(Thread(target=self._do, args=(step.do,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(max(0.0, zero.time_s + self._plan.horizon_us / 1e6 - time.time()))
        self._raise()

    def _do(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (LabError, OSError) as error:
            self._failed.append(error)

    def _together(self, actions: Sequence[Callable[[], None]]) -> None:
        threads = [Thread(target=self._do, args=(act,), daemon=True) for act in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._failed:
            raise LabError(str(self._failed[0]))


class _Starts:
    """How long nodes and agents take to start, drawn as their laws say."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._count: Counter[tuple[str, str]] = Counter()

    def pause(self, node: str, what: str) -> None:
        """Wait for the next start of a node's ``node`` or ``agent``."""
        law = self._trial.plan.node_startup if what == "node" else self._trial.plan.agent_startup
        n = self._count[node, what]
        self._count[node, what] += 1
        time.sleep(self._trial.tape.draw_us(law, node, f"lab {what} startup", n) / 1e6)


def _offset_s() -> float:
    """The wall clock, by which all is noted, against the clock of the daemons' timers: a virtual machine that was
    halted sets the former."""
    return time.time() - time.monotonic()


def _sleep_until(time_s: float) -> None:
    time.sleep(max(0.0, time_s - time.time()))


def _from_zero(flow: Flow, zero: Zero, plan: Plan) -> Flow:
    """A flow's probes between time 0 and the horizon."""
    horizon_s = plan.horizon_us / 1e6
    times = [(n, at - zero.time_s) for n, at in enumerate(flow.sent_s)]
    kept = [(n, at) for n, at in times if 0 <= at < horizon_s]
    answered = {place for place, (n, _) in enumerate(kept) if n in flow.answered}
    return Flow(flow.router, flow.prefix, flow.client, [at for _, at in kept], answered)
