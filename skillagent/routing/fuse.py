"""Fuse: several scores of the same items become one, by z-scores rather than ranks.

Ranks throw away by how much the first beats the second; z-scores keep it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def fuse(scores: Mapping[str, NDArray[np.float64]], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the weighted sum of each scorer's z-scores, shape (n,).

    A scorer that gives every item the same score says nothing and counts as zero.
    """
    parts = [weights[name] * _standardised(values) for name, values in scores.items()]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std() if values.size else 0.0
    return np.zeros_like(values) if spread < 1e-9 else (values - values.mean()) / spread
