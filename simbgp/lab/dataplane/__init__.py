"""The lab's data plane: clients with real TCP connections, a load balancer on each node, and the pods behind it."""
