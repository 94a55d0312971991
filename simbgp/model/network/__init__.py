"""Links, hosts, TCP and the forwarding table."""
