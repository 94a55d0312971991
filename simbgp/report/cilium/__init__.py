"""Cilium's own tables: what ``cilium``, ``cilium-dbg`` and the agent's shell print, to the byte."""
