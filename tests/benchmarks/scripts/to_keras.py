"""Prints the seconds of archc's `to_keras()` and of `keras.applications`, medians of alternating runs in this process."""

import statistics
import sys
import time

import keras

import archc

address, name = sys.argv[1:]
ours: list[float] = []
theirs: list[float] = []
for _ in range(4):
    start = time.perf_counter()
    archc.compile(address).to_keras()
    ours.append(time.perf_counter() - start)
    keras.backend.clear_session()
    start = time.perf_counter()
    getattr(keras.applications, name)(weights=None)
    theirs.append(time.perf_counter() - start)
    keras.backend.clear_session()
print(statistics.median(ours[1:]), statistics.median(theirs[1:]))
