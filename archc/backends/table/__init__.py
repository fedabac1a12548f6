"""Graphs -> the configuration table of a paper: `layout` makes it, `cells` words it, `writers` writes it."""
