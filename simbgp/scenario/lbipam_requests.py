"""What a Service asks of LB-IPAM: addresses, families, and with whom it shares one.

Source: cilium ``operator/pkg/lbipam/lbipam.go``, ``service_store.go``.
"""

import ipaddress
from collections.abc import Collection

from simbgp.scenario.k8s import ServiceObject

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPS = ("lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips")
_SHARING = ("lbipam.cilium.io/sharing-key", "io.cilium/lb-ipam-sharing-key")
_ACROSS = ("lbipam.cilium.io/sharing-cross-namespace", "io.cilium/lb-ipam-sharing-cross-namespace")
CLASSES = (None, "io.cilium/bgp-control-plane")
"""Load balancer classes that the BGP control plane announces, and that LB-IPAM serves with it."""


def address_of(text: str) -> Address:
    """The address that a text is; ValueError if it is none."""
    return ipaddress.ip_address(text)


def network_ends(cidr: str) -> tuple[Address, Address]:
    """The first and the last address of a prefix."""
    network = ipaddress.ip_network(cidr)
    return network[0], network[-1]


def labels_of(name: str, service: ServiceObject) -> dict[str, str]:
    """Its labels and Cilium's two pseudo-labels."""
    namespace, _, own = name.rpartition("/")
    pseudo = {"io.kubernetes.service.name": own, "io.kubernetes.service.namespace": namespace}
    return dict(service.metadata.labels or {}) | pseudo


def responsible(service: ServiceObject) -> bool:
    """Whether LB-IPAM gives this service its address."""
    return service.spec.type == "LoadBalancer" and service.spec.load_balancer_class in CLASSES


def requested(service: ServiceObject) -> tuple[Address, ...]:
    """The addresses that the service asks for."""
    wanted = [service.spec.load_balancer_ip] if service.spec.load_balancer_ip else []
    wanted += [part.strip() for part in _annotation(service, _IPS).split(",") if _is_address(part.strip())]
    return tuple(dict.fromkeys(address_of(part) for part in wanted))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _annotation(service: ServiceObject, names: tuple[str, str]) -> str:
    annotations = service.metadata.annotations or {}
    return next((annotations[name] for name in names if annotations.get(name)), "")


def sharing_key(service: ServiceObject) -> str:
    """The key under which services share an address; empty: it shares none."""
    return _annotation(service, _SHARING)


def across(service: ServiceObject) -> frozenset[str]:
    """The namespaces with which it would share an address; ``*`` for all."""
    return frozenset(_annotation(service, _ACROSS).split(","))


def families(service: ServiceObject, enabled: Collection[int]) -> tuple[int, ...]:
    """The IP versions that the service wants an address of.

    ``enabled`` are those of the cluster: what it does not say is IPv4 where that is one, and both where it prefers two.
    """
    spec = service.spec
    written = [4 if family == "IPv4" else 6 for family in spec.ip_families or ()]
    if spec.ip_family_policy == "RequireDualStack":
        return 4, 6
    if spec.ip_family_policy == "PreferDualStack":
        return tuple(sorted(written or enabled))
    return (written[0],) if written else (4 if 4 in enabled else 6,)
