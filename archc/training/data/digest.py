"""What tells one set of examples from another."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy

from archc.training.data.examples import Examples, in_memory


def contiguous(values: Any) -> Any:
    """An array's values in one piece, as digests take them."""
    return numpy.ascontiguousarray(values)


def digest(examples: Examples) -> str:
    """A digest of all labels and pixels; of images in files, of their names and sizes."""
    hashed = sha256()
    for part in (examples.train, examples.test):
        images: Any = part.images
        hashed.update(str((images.shape, str(images.dtype))).encode())
        hashed.update(contiguous(part.labels))
        if in_memory(images):
            hashed.update(contiguous(images))
        else:
            for path in images.paths:
                hashed.update(f"{Path(path).parent.name}/{Path(path).name}:{Path(path).stat().st_size}\n".encode())
    return hashed.hexdigest()[:32]
