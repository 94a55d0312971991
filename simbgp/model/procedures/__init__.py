"""What operators do on purpose, step by step: draining a node, rolling out a release."""
