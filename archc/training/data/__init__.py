"""Data sets: read from files that are there, never downloaded; split so that no example is in two parts."""
