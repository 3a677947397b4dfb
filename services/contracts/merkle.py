"""Merkle trees of RFC 6962 (section 2.1) over SHA-256: one hash for a list, and short proofs that an entry is in it.

Leaves are given as their bytes; what those bytes mean is `services/contracts/statements.py`'s business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf: the prefix keeps a leaf from passing as an inner node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree's root, 32 bytes; of no leaves at all it is the SHA-256 of nothing."""
    return top(levels(leaves))


def top(tree: Sequence[Sequence[bytes]]) -> bytes:
    """The root of a tree made by `levels`."""
    return tree[-1][0] if tree[-1] else hashlib.sha256(b"").digest()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The siblings on the way from leaf `index` (from 0) up to the root. Raises IndexError."""
    return path_in(levels(leaves), index)


def path_in(tree: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The same from a tree made once by `levels`, for many proofs."""
    if not 0 <= index < len(tree[0]):
        raise IndexError("no such leaf")
    path: list[bytes] = []
    for level in tree:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index //= 2
    return tuple(path)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `leaf` is number `index` of the `size` leaves under `expected_root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            return False
        if position % 2 or position == last:
            found = node_hash(sibling, found)
            # A right edge that was promoted without a sibling skips those levels.
            while position and not position % 2:
                position, last = position // 2, last // 2
        else:
            found = node_hash(found, sibling)
        position, last = position // 2, last // 2
    return last == 0 and found == expected_root


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree's hashes level by level, leaves first, the root alone last (no leaves: one empty level). Pairing from the left and promoting a lone last node gives the same tree
    as RFC 6962's split at the largest power of two."""
    tree = [[leaf_hash(leaf) for leaf in leaves]]
    while len(tree[-1]) > 1:
        below = tree[-1]
        above = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        tree.append(above + below[-1:] if len(below) % 2 else above)
    return tree
