"""Sweeps: the figures of many variants of one family, over a grid of values or a sample of it."""
