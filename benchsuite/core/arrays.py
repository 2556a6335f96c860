"""Types of numpy arrays for signatures, each name defined once for the whole package."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]  # what networks see
Integers = NDArray[np.integer]  # of any width
Booleans = NDArray[np.bool_]
