"""The protocols on the real validation split of data/hm."""

import os
from pathlib import Path

import numpy as np
import pytest

from fashionbert.catalogue import open_catalogue
from fashionbert.config import EvaluationSettings
from fashionbert.evaluation.candidate_files import file_name, read_candidates, write_candidates
from fashionbert.evaluation.gallery import Gallery, gallery_of
from fashionbert.evaluation.protocols import count_filled
from fashionbert.evaluation.report import build_report
from fashionbert.evaluation.run import evaluate
from fashionbert.evaluation.systems import System

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    root = Path(os.environ.get("FASHIONBERT_SHARED", Path(__file__).parents[2] / ".." / "shared"))
    return gallery_of(open_catalogue(root / "data" / "hm").split("validation"))


def test_the_gallery_is_the_split(gallery: Gallery) -> None:
    assert len(gallery) == 1570
    assert len(np.unique(gallery.groups)) == 867


def test_random_scores_reach_chance_and_miss_nothing(gallery: Gallery, tmp_path: Path) -> None:
    settings = EvaluationSettings(protocols=("subcategory-101", "random-101", "full"), draws=1, bootstrap=50)

    luck_NN = np.random.default_rng(0).random((1570, 1570))
    system = System(name="luck", score_pairs=lambda texts, pictures: luck_NN[texts, pictures])
    evaluation = evaluate(gallery, [system], settings, full_systems=["luck"])
    for protocol, block in build_report(evaluation)["protocols"].items():
        for direction in ("text_to_image", "image_to_text"):
            figures = block[direction]
            chance = figures["chance"]["recall_at_10"]
            assert figures["recall_at_all"] == 1.0
            assert figures["recall_at_10"] == pytest.approx(chance, abs=5 * np.sqrt(chance / 1000)), protocol
    for lists in evaluation.lists:
        assert count_filled(gallery, lists)["candidates_missing"] == 0
        write_candidates(tmp_path / file_name(lists), gallery, lists)
        assert np.array_equal(read_candidates(tmp_path / file_name(lists), gallery).candidates, lists.candidates)
