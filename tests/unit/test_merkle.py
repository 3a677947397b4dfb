"""Merkle trees against the vectors of certificate transparency, against pymerkle, and against tampering."""

from __future__ import annotations

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.merkle import inclusion_proof, leaf_hash, node_hash, root, verify_inclusion

# The eight leaves and roots with which implementations of RFC 6962 are tested (certificate-transparency, merkletree).
VECTORS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def test_the_known_roots() -> None:
    assert [root(VECTORS[:n]).hex() for n in range(9)] == ROOTS


def test_a_known_path() -> None:
    assert [step.hex() for step in inclusion_proof(VECTORS, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(LEAVES, st.data())
def test_the_same_tree_as_pymerkle(leaves: list[bytes], data: st.DataObject) -> None:
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        oracle.append_entry(leaf)
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert root(leaves) == oracle.get_root()
    path = inclusion_proof(leaves, index)
    proof = oracle.prove_inclusion(index + 1)
    # pymerkle's path starts with the leaf itself.
    assert [leaf_hash(leaves[index]), *path] == list(proof.path)
    assert verify_inclusion(leaves[index], index, len(leaves), path, root(leaves))


def test_every_leaf_of_every_small_tree_is_proved_at_its_place_only() -> None:
    for size in range(1, 34):
        leaves = [bytes([n]) for n in range(size)]
        top = root(leaves)
        for index in range(size):
            path = inclusion_proof(leaves, index)
            assert verify_inclusion(leaves[index], index, size, path, top)
            for other in set(range(size)) - {index}:
                assert not verify_inclusion(leaves[index], other, size, path, top)


@given(LEAVES, st.data())
def test_a_changed_anything_fails(leaves: list[bytes], data: st.DataObject) -> None:
    size, top = len(leaves), root(leaves)
    index = data.draw(st.integers(0, size - 1))
    path, leaf = inclusion_proof(leaves, index), leaves[index]

    def flipped(value: bytes) -> bytes:
        at = data.draw(st.integers(0, len(value) * 8 - 1))
        changed = bytearray(value)
        changed[at // 8] ^= 1 << at % 8
        return bytes(changed)

    assert not verify_inclusion(leaf + b"x", index, size, path, top)
    assert not verify_inclusion(leaf, index, size, path, flipped(top))
    assert not verify_inclusion(leaf, index, size, (*path, bytes(32)), top)
    assert not verify_inclusion(leaf, size, size, path, top)
    assert not verify_inclusion(leaf, -1, size, path, top)
    assert not verify_inclusion(leaf, index, 0, path, top)
    for at in range(len(path)):
        assert not verify_inclusion(leaf, index, size, (*path[:at], flipped(path[at]), *path[at + 1 :]), top)
        assert not verify_inclusion(leaf, index, size, path[:at] + path[at + 1 :], top)


def test_an_inner_node_does_not_pass_as_a_leaf() -> None:
    leaves = [b"a", b"b"]
    forged = leaf_hash(b"a") + leaf_hash(b"b")
    assert node_hash(leaf_hash(b"a"), leaf_hash(b"b")) == root(leaves)
    assert not verify_inclusion(forged, 0, 1, (), root(leaves))


def test_no_leaves_have_the_root_of_nothing_and_no_proofs() -> None:
    assert root([]) == hashlib.sha256(b"").digest()
    for index in (0, -1, 3):
        with pytest.raises(IndexError):
            inclusion_proof([], index)
    with pytest.raises(IndexError):
        inclusion_proof([b"a"], -1)
