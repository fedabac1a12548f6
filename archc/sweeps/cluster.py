"""A Ray cluster for as long as it is needed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from socket import create_connection
from typing import Any


@contextmanager
def cluster(address: str) -> Generator[Any]:
    """Ray, connected to the cluster at an address (`auto` is this machine's, `local` starts one here). Raises `OSError` where there is none."""
    library: Any = import_module("ray")
    host, sign, port = address.rpartition(":")
    if sign and port.isdigit() and "/" not in address:
        with create_connection((host, int(port)), timeout=10):  # Ray itself tries for minutes
            pass
    library.init(address=address, log_to_driver=False, logging_level="error")
    try:
        yield library
    finally:
        library.shutdown()
