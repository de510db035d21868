from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from fashionbert.config import ImageSettings
from fashionbert.errors import SettingsError
from fashionbert.images.network import PixelNetwork, TimmNetwork, build_patch_network
from fashionbert.images.weights import hash_weights

SMALL = {"network": "test_resnet", "weights": "random", "grid": 2}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def small(**changes: object) -> ImageSettings:
    return ImageSettings.model_validate({**SMALL, "height": 96, "width": 64, "cell_size": 32, **changes})


def pixels(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


def normalised(inputs: torch.Tensor, model: Any) -> torch.Tensor:
    config = model.pretrained_cfg
    mean, std = torch.tensor(config["mean"]), torch.tensor(config["std"])
    return ((inputs.double() / 255 - mean) / std).float().permute(0, 3, 1, 2)


def timm_model(network: object) -> Any:
    assert isinstance(network, TimmNetwork)
    return network.model


def test_pixels_are_normalised_and_flattened() -> None:
    settings = ImageSettings(network="pixels", mode="crop", grid=1, cell_size=2)
    network = build_patch_network(settings)
    assert isinstance(network, PixelNetwork)
    cell = torch.tensor([[[0, 255, 51], [0, 0, 0]], [[255, 255, 255], [102, 153, 204]]], dtype=torch.uint8)
    features = network(cell[None, None])
    expected = [-1, 1, -0.6, -1, -1, -1, 1, 1, 1, -0.2, 0.2, 0.6]
    np.testing.assert_allclose(features.numpy(), [[expected]], atol=1e-6)
    assert network.feature_size == 12


@torch.inference_mode()
def test_grid_features_are_the_average_pooled_feature_map() -> None:
    network = build_patch_network(small(height=128, width=64))
    inputs = pixels(2, 128, 64, 3)
    model = timm_model(network)
    map_BCHW = model.forward_features(normalised(inputs, model))
    assert map_BCHW.shape[2:] == (4, 2)
    features = network(inputs)
    assert features.shape == (2, 4, network.feature_size)
    for row in range(2):
        for column in range(2):
            cell = map_BCHW[:, :, 2 * row : 2 * row + 2, column : column + 1].mean((2, 3))
            torch.testing.assert_close(features[:, 2 * row + column], cell)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "mobilenetv4_conv_small"])
def test_crop_features_are_the_pooled_output_before_the_classifier(name: str) -> None:
    network = build_patch_network(small(network=name, mode="crop"))
    inputs = pixels(2, 4, 32, 32, 3)
    model = timm_model(network)
    features = network(inputs)
    assert features.shape == (2, 4, network.feature_size)
    expected = model(normalised(inputs.flatten(end_dim=1), model)).reshape(2, 4, -1)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_mambaout", "test_convnext", "test_efficientnet"])
def test_every_kind_of_network_gives_a_map_in_the_right_orientation(name: str) -> None:
    """A blob in one quarter of the picture changes the features of that quarter most."""
    network = build_patch_network(small(network=name, height=128, width=192))
    plain = torch.full((1, 128, 192, 3), 128, dtype=torch.uint8)
    for quarter, (top, left) in enumerate([(0, 0), (0, 96), (64, 0), (64, 96)]):
        changed = plain.clone()
        changed[:, top + 16 : top + 48, left + 24 : left + 72] = pixels(32, 48, 3)
        change = (network(changed) - network(plain)).norm(dim=-1)[0]
        assert change.argmax() == quarter


@torch.inference_mode()
@pytest.mark.parametrize("mode", ["grid", "crop"])
def test_a_picture_does_not_see_its_batch(mode: str) -> None:
    network = build_patch_network(small(mode=mode, batch_size=3)).train()
    inputs = pixels(5, 96, 64, 3) if mode == "grid" else pixels(5, 4, 32, 32, 3)
    together = network(inputs)
    for index in range(5):
        torch.testing.assert_close(network(inputs[index : index + 1])[0], together[index], rtol=0, atol=1e-5)


def test_random_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = build_patch_network(small(), seed=5)
    torch.testing.assert_close(torch.rand(3), expected)
    assert hash_weights(first) == hash_weights(build_patch_network(small(), seed=5))
    assert hash_weights(first) != hash_weights(build_patch_network(small(), seed=6))


@pytest.mark.parametrize("kind", ["safetensors", "pth", "wrapped"])
def test_local_weights_with_their_classifier(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = timm.create_model("test_resnet", num_classes=10)
    path = tmp_path / f"weights.{'safetensors' if kind == 'safetensors' else 'pth'}"
    if kind == "safetensors":
        save_file(whole.state_dict(), path)
    else:
        torch.save(whole.state_dict() if kind == "pth" else {"state_dict": whole.state_dict()}, path)
    found = timm_model(build_patch_network(small(weights=str(path)))).state_dict()
    assert found
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, whole.state_dict()[name])


def test_weights_that_do_not_fit_are_listed_all(tmp_path: Path) -> None:
    tensors = timm.create_model("test_resnet", num_classes=0).state_dict()
    names = [name for name, tensor in tensors.items() if tensor.ndim == 4]
    removed, misshaped = names[0], names[1]
    del tensors[removed]
    shape = list(tensors[misshaped].shape)
    tensors[misshaped] = torch.zeros(1, 2)
    tensors["stranger.weight"] = torch.zeros(1)
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(SettingsError, match="does not fit the network") as caught:
        build_patch_network(small(weights=str(tmp_path / "a.safetensors")))
    assert set(caught.value.faults) == {
        f"{removed} is missing",
        "stranger.weight is not the network's",
        f"{misshaped} has shape [1, 2], not {shape}",
    }


@pytest.mark.parametrize("content", [None, b"", b"\x80\x04]\x94.", b"nonsense" * 100])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_that_cannot_be_read(content: bytes | None, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"images\.weights = .*a\."):
        build_patch_network(small(weights=str(path)))


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"conv1.weight": Attack()}, tmp_path / "a.pth")
    with pytest.raises(SettingsError, match="cannot be read as weights"):
        build_patch_network(small(weights=str(tmp_path / "a.pth")))
    assert not (tmp_path / "ran").exists()


def test_an_unknown_network_is_refused_with_a_hint() -> None:
    with pytest.raises(SettingsError, match="mobilenetv2_100"):
        build_patch_network(small(network="mobilenetv2-100"))


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"cannot be built with the options \{'colour': 'red'\}"):
        build_patch_network(small(network_options={"colour": "red"}))


def test_weights_of_the_hub_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, *, pretrained: bool, **options: object) -> None:
        assert pretrained
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(SettingsError, match="no route to host") as caught:
        build_patch_network(small(weights=None))
    assert "give a local file or 'random'" in str(caught.value)


def test_a_network_without_a_map_asks_for_crop_mode() -> None:
    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pretrained_cfg: Any = {"architecture": "pooled"}

        def forward_features(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs.mean((2, 3))

    network = build_patch_network(small())
    with pytest.raises(SettingsError, match=r"use images\.mode = crop"):
        TimmNetwork(Pooled(), small(), network.preprocessing)
