"""Which kinds of objects are read, with their versions."""

from collections.abc import Mapping

from simbgp.scenario import crd_advertisements, crd_pools, crds, k8s, node_configs, node_objects
from simbgp.scenario.api_objects import Object
from simbgp.scenario.crds import CILIUM

READ: Mapping[str, tuple[tuple[str, ...], type[Object]]] = {
    "Node": (("v1",), node_objects.NodeObject),
    "CiliumNode": (CILIUM, crd_pools.CiliumNode),
    "CiliumBGPClusterConfig": (CILIUM, crds.ClusterConfig),
    "CiliumBGPPeerConfig": (CILIUM, crds.PeerConfig),
    "CiliumBGPAdvertisement": (CILIUM, crd_advertisements.Advertisement),
    "CiliumBGPNodeConfig": (CILIUM, node_configs.NodeConfig),
    "CiliumBGPNodeConfigOverride": (CILIUM, crds.NodeConfigOverride),
    "CiliumLoadBalancerIPPool": (CILIUM, crd_pools.IpPool),
    "CiliumPodIPPool": (CILIUM, crd_pools.PodIpPool),
    "Service": (("v1",), k8s.ServiceObject),
    "EndpointSlice": (("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"), k8s.EndpointSlice),
    "Deployment": (("apps/v1",), k8s.Workload),
    "StatefulSet": (("apps/v1",), k8s.Workload),
    "DaemonSet": (("apps/v1",), k8s.DaemonSet),
    "Pod": (("v1",), k8s.Pod),
    "PodDisruptionBudget": (("policy/v1",), k8s.Budget),
    "Secret": (("v1",), k8s.Secret),
}
NAMESPACED = frozenset(
    {"Service", "EndpointSlice", "Deployment", "StatefulSet", "DaemonSet", "Pod", "PodDisruptionBudget", "Secret"}
)
