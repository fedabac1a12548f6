"""The report: one page about a network, with all that it needs in it."""
