from itertools import product as pairs

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fashionbert.catalogue.duplicates import Digests, picture_digest, text_digest

ROW = st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2))


@given(st.lists(ROW, max_size=40))
def test_shared_digests_against_every_pair(rows: list[tuple[int, int, int]]) -> None:
    digests = Digests()
    for place, (content, _, _) in enumerate(rows):
        digests.add(text_digest(str(content)), place)
    kinds, within = (np.array([row[column] for row in rows], dtype=np.int64) for column in (1, 2))
    expected = {
        place
        for (place, a), (_, b) in pairs(enumerate(rows), repeat=2)
        if a[0] == b[0] and a[2] == b[2] and a[1] != b[1]
    }
    assert digests.shared_across(kinds, within).tolist() == sorted(expected)


def test_several_digests_of_one_product_count_it_once() -> None:
    digests = Digests()
    for content, place in (("a", 0), ("b", 0), ("a", 1), ("b", 1)):
        digests.add(text_digest(content), place)
    assert digests.shared_across(np.array([0, 1]), np.array([0, 0])).tolist() == [0, 1]


def test_texts_are_equal_but_for_case_and_white_space() -> None:
    assert text_digest(" Red  skirt\n") == text_digest("red SKIRT")
    assert text_digest("red skirt") != text_digest("redskirt")


def test_pictures_by_bytes_pixels_and_shape() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert picture_digest(b"a") != picture_digest(b"b")
    assert picture_digest(pixels) == picture_digest(pixels.copy())
    assert picture_digest(pixels) != picture_digest(pixels.reshape(4, 2, 3))
    assert picture_digest(Image.fromarray(pixels)) == picture_digest(Image.fromarray(pixels.copy()))
    assert len(picture_digest(b"")) == len(text_digest("")) == 16
