"""Nodes, agents and the endpoints that each node's load balancer knows."""
