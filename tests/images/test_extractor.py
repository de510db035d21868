import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from fashionbert.config import ImageSettings
from fashionbert.errors import PictureError, RunError
from fashionbert.images.extractor import RECORD, WEIGHTS, PatchExtractor
from fashionbert.images.network import Preprocessing, build_patch_network

PIXELS = ImageSettings(network="pixels", mode="crop", grid=2, height=8, width=8, cell_size=4)
RESNET = ImageSettings(network="test_resnet", weights="random", grid=2, height=64, width=64, cell_size=32)


def build(settings: ImageSettings, seed: int = 0) -> PatchExtractor:
    torch.set_num_threads(1)
    return PatchExtractor(settings, build_patch_network(settings, seed=seed))


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 30, 3), np.uint8))


def test_pixels_of_a_picture_by_hand() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, 4:] = 255
    pixels[4:, :4] = 51
    features = build(PIXELS).extract([pixels])
    assert features.dtype == np.float16
    np.testing.assert_array_equal(
        features, np.broadcast_to(np.array([[[-1], [1], [-0.6], [-1]]], np.float16), (1, 4, 48))
    )


@pytest.mark.parametrize("settings", [PIXELS, RESNET, RESNET.model_copy(update={"mode": "crop"})])
@pytest.mark.parametrize("batch_size", [3, 32])
def test_batches_do_not_change_features(settings: ImageSettings, batch_size: int) -> None:
    extractor = build(settings.model_copy(update={"batch_size": batch_size}))
    pictures = [noise(seed) for seed in range(5)]
    features = extractor.extract(pictures)
    assert features.shape == (5, extractor.patches, extractor.feature_size)
    step = 2**-10  # of float16
    for picture, expected in zip(pictures, features, strict=True):
        np.testing.assert_allclose(extractor.extract([picture])[0], expected, rtol=step, atol=1e-5)


def test_no_pictures_give_no_features() -> None:
    assert build(PIXELS).extract([]).shape == (0, 4, 48)


def test_a_broken_picture_is_an_error() -> None:
    with pytest.raises(PictureError, match="no known format"):
        build(PIXELS).extract([b"text"])


@pytest.mark.parametrize(
    "changes",
    [
        {"grid": 4},
        {"height": 128},
        {"width": 128},
        {"fit": "pad"},
        {"mode": "crop"},
        {"network": "test_efficientnet"},
        {"network_options": {"output_stride": 16}},
    ],
)
def test_the_fingerprint_changes_with_all_that_changes_features(changes: dict[str, object]) -> None:
    assert build(RESNET).fingerprint != build(RESNET.model_copy(update=changes)).fingerprint


def test_the_fingerprint_depends_on_weights_and_preprocessing() -> None:
    first = build(RESNET, seed=0)
    other = PatchExtractor(RESNET, build_patch_network(RESNET, preprocessing=Preprocessing(mean=(0.1, 0.2, 0.3))))
    assert len({first.fingerprint, build(RESNET, seed=1).fingerprint, other.fingerprint}) == 3


def test_the_fingerprint_ignores_what_changes_no_feature() -> None:
    plain = build(RESNET).fingerprint
    for changes in ({"batch_size": 7}, {"variants": "mirrored"}, {"cell_size": 48}):
        assert build(RESNET.model_copy(update=changes)).fingerprint == plain


@pytest.mark.parametrize("settings", [PIXELS, RESNET], ids=["pixels", "random"])
def test_saved_and_loaded(settings: ImageSettings, tmp_path: Path) -> None:
    extractor = build(settings, seed=3)
    extractor.save(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    loaded = PatchExtractor.load(tmp_path / "moved")
    assert loaded.fingerprint == extractor.fingerprint
    np.testing.assert_array_equal(loaded.extract([noise(0)]), extractor.extract([noise(0)]))
    assert (tmp_path / "moved" / WEIGHTS).exists() == (settings is RESNET)
    loaded.save(tmp_path / "again")
    assert PatchExtractor.load(tmp_path / "again").fingerprint == extractor.fingerprint


def test_weights_of_the_hub_are_named_not_copied(tmp_path: Path) -> None:
    extractor = build(RESNET)
    extractor.settings = RESNET.model_copy(update={"weights": None})
    extractor.network.hub_id = "timm/test_resnet.r160_in1k"
    extractor.network.pinned_name = "test_resnet.r160_in1k"
    extractor.save(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["hub_id"] == "timm/test_resnet.r160_in1k"
    assert record["settings"]["network"] == "test_resnet.r160_in1k"
    assert record["settings"]["weights"] is None
    assert not (tmp_path / WEIGHTS).exists()


def edit_record(folder: Path) -> None:
    record = json.loads((folder / RECORD).read_text())
    record["settings"]["height"] = 96
    (folder / RECORD).write_text(json.dumps(record))


def edit_mean(folder: Path) -> None:
    record = json.loads((folder / RECORD).read_text())
    record["description"]["mean"] = [0, 0, 0]
    (folder / RECORD).write_text(json.dumps(record))


def edit_weights(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    name = next(name for name, tensor in tensors.items() if tensor.ndim == 4)
    tensors[name][0, 0, 0, 0] += 1e-3
    save_file(tensors, folder / WEIGHTS)


def halve_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:5000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (edit_record, "has the fingerprint"),
        (edit_mean, "has the fingerprint"),
        (edit_weights, "has the fingerprint"),
        (halve_weights, "cannot be read as weights"),
        (lambda folder: (folder / WEIGHTS).unlink(), "there is no such file"),
        (lambda folder: (folder / RECORD).unlink(), "missing or edited"),
        (lambda folder: (folder / RECORD).write_text('{"settings": '), "missing or edited"),
        (lambda folder: (folder / RECORD).write_text("[]"), "missing or edited"),
    ],
)
def test_edited_or_incomplete_folders_are_refused(
    damage: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    build(RESNET).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(RunError, match=message):
        PatchExtractor.load(tmp_path)
