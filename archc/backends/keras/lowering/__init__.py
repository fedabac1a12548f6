"""The dictionary from operators to Keras: a function for each operator, in a file for each family, and `lower`.

Names: where one part of a node holds its weights, that part has the node's own name; else the last part has. The
others have the node's name, `_` and what they do (`conv1_pad`), with a number where that name is taken.
"""

from archc.backends.keras.lowering.network import lower
from archc.backends.keras.lowering.table import LOWERINGS

__all__ = ["LOWERINGS", "lower"]
