"""Compiles every shipped network in this process; prints how many, their layers, seconds, and the peak memory in bytes."""

import resource
import time

from archc import load
from archc.language.catalogue import shipped_paths

start = time.perf_counter()
networks = layers = 0
for path in shipped_paths():
    family = load(path.stem)
    for name in family:
        networks += 1
        layers += len(family.compile(name or None).graph.nodes)
print(networks, layers, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
