"""Trains as one process of a training that is spread: `python -m tests.spread_training FRAMEWORK DEVICES WORDS...`.

FRAMEWORK sees DEVICES virtual CPU devices; the words are those of `archc train`.
"""

from __future__ import annotations

import os
import sys

from archc.commands import main

framework, devices = sys.argv[1], int(sys.argv[2])
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = framework
if framework == "jax":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"  # compiles sooner
else:
    import tensorflow

    machine = tensorflow.config.list_physical_devices("CPU")[0]
    tensorflow.config.set_logical_device_configuration(machine, [tensorflow.config.LogicalDeviceConfiguration()] * devices)

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[3:]]))
