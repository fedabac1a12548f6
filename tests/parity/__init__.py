"""Proof that a spec is the network that its `implementation` names: equal weights give equal outputs."""
