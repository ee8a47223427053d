"""The row space of a matrix: which linear combinations of coefficients can be estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from framing.inference.design import Bools, Floats

TOLERANCE = 1e-7
"""Parts smaller than this, relative to the whole, are rounding."""

_RANK = 1e-9  # singular values below this part of the largest are zero


@dataclass(frozen=True)
class RowSpace:
    """The row space of a matrix (n, k) of rank r, in coordinates of its own.

    ``scale`` (k,) are the columns' norms (1 for a column of zeros), ``vectors`` (k, r) an
    orthonormal basis after division by them, ``spread`` (r,) the singular values. Rows x become
    z with Σ z z' = I over the matrix; β = :meth:`expanded` (γ) makes x'β = z'γ.
    """

    scale: Floats
    vectors: Floats
    spread: Floats

    def coordinates(self, rows: Floats) -> Floats:
        """Return rows (m, k) as (m, r)."""
        found: Floats = (rows / self.scale) @ self.vectors / self.spread
        return found

    def expanded(self, gamma: Floats) -> Floats:
        """Return β (…, k) of γ (…, r)."""
        found: Floats = (gamma / self.spread) @ self.vectors.T / self.scale
        return found

    def contains(self, rows: Floats) -> Bools:
        """Return which rows (m, k) lie in the space: of these x'β can be estimated."""
        scaled = rows / self.scale
        left = scaled - (scaled @ self.vectors) @ self.vectors.T
        size = np.maximum(np.abs(scaled).max(axis=1, initial=0.0), 1 / np.sqrt(len(self.scale)))
        inside: Bools = np.abs(left).max(axis=1, initial=0.0) <= TOLERANCE * size
        return inside

    def tied(self, place: int) -> Bools:
        """Return which coefficients (k,) cannot be told apart from that at ``place``."""
        null = np.eye(len(self.scale)) - self.vectors @ self.vectors.T
        found: Bools = np.abs(null[place]) > TOLERANCE
        return found


def row_space(matrix: Floats) -> RowSpace:
    """Return the row space of ``matrix`` (n, k), by the singular values of its scaled columns."""
    norm = np.sqrt(np.square(matrix).sum(axis=0))
    scale = np.where(norm > 0, norm, 1.0)
    _, spread, vectors = np.linalg.svd(matrix / scale, full_matrices=False)
    large = spread > _RANK * max(spread.max(initial=0.0), _RANK)
    return RowSpace(scale, vectors[large].T, spread[large])
