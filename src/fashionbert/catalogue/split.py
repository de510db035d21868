"""Splits for catalogues that have none: by group, by seed, whatever the order of the rows."""

import hashlib
import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.arrow import pc
from fashionbert.catalogue.table import TEST, TRAIN, VALIDATION

_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
    "testing": TEST,
}


def normal_name(name: str) -> str:
    """Return the usual name of a split: ``val``, ``valid`` and ``dev`` are ``validation``; others stay, lower case."""
    lower = name.strip().lower()
    return _NAMES.get(lower, lower)


def normal_names(split: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give every split of a column its usual name."""
    encoded = split.combine_chunks().dictionary_encode()
    names = pa.array(map(normal_name, encoded.dictionary.to_pylist()), pa.large_string())
    return pa.chunked_array([names.take(encoded.indices)])


def split_of_file(file_name: str) -> str:
    """Return the split that a file name speaks of (``train-00000-of-00002.parquet``), or the empty string."""
    words = re.split(r"[^a-z]+", file_name.lower())
    found = {_NAMES[word] for word in words if word in _NAMES}
    return found.pop() if len(found) == 1 else ""


def complete_splits(split: pa.ChunkedArray, groups: pa.ChunkedArray, share: float, seed: int) -> pa.ChunkedArray:
    """Call everything ``train`` where no split is named, and cut a validation split from ``train`` if there is none.

    Args:
        split: split of each product; empty for all of them, or for none.
        groups: group id of each product.
        share: share of the training products to hold out; 0 holds out none.
        seed: see :func:`hold_out`.

    Returns:
        Split of each product.
    """
    train = pa.scalar(TRAIN, pa.large_string())
    split = pc.if_else(pc.equal(split, ""), train, split)
    places = np.flatnonzero(pc.equal(split, train).to_numpy())
    if share == 0 or len(places) == 0 or pc.any(pc.equal(split, VALIDATION)).as_py():
        return split
    mask = np.zeros(len(split), dtype=np.bool_)
    mask[places] = hold_out(groups.take(pa.array(places)), share, seed)
    return pc.if_else(pa.array(mask), pa.scalar(VALIDATION, pa.large_string()), split)


def hold_out(groups: pa.ChunkedArray, share: float, seed: int) -> NDArray[np.bool_]:
    """Choose the products to hold out: whole groups, drawn by seed, together close to a share of the products.

    Groups are gone through in the order of a hash of seed and id, and each that still fits is taken; so the choice
    does not depend on the order of the rows, and a few new products move few old ones. With two groups or more and a
    share within (0, 1), both sides get at least one group.

    Args:
        groups: group id of each product.
        share: share of the products wanted, in [0, 1].
        seed: another seed draws other groups.

    Returns:
        For each product whether it is held out.
    """
    encoded = groups.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    ids = encoded.dictionary.to_pylist()
    sizes = np.bincount(codes, minlength=len(ids))
    order = sorted(range(len(ids)), key=lambda code: hashlib.sha256(f"{seed}:{ids[code]}".encode()).digest())
    target, taken = share * len(codes), 0
    held = np.zeros(len(ids), dtype=np.bool_)
    for code in order:
        if taken + sizes[code] <= target + 0.5:
            held[code] = True
            taken += int(sizes[code])
    if len(ids) > 1 and 0 < share < 1:
        smallest = min(order, key=lambda code: sizes[code])
        if not held.any():
            held[smallest] = True
        elif held.all():
            held[smallest] = False
    return held[codes]
