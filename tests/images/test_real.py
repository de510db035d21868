"""The real weights on real pictures, against timm used by hand."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

from fashionbert.catalogue import open_catalogue
from fashionbert.config import ImageSettings
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.images.writer import write_store

SHARED = Path(os.environ.get("FASHIONBERT_SHARED", Path(__file__).parents[2] / ".." / "shared"))
WEIGHTS = SHARED / "weights" / "mobilenetv2_100" / "model.safetensors"
TABLE = SHARED / "data" / "hm" / "validation-00000-of-00001.parquet"


@pytest.mark.shared
@torch.inference_mode()
def test_stored_features_are_those_of_timm_used_by_hand(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    settings = ImageSettings(network_options={"pad_type": "same"}, weights=str(WEIGHTS), height=384, width=256)
    catalogue = open_catalogue(TABLE).subset(np.arange(6))
    store = write_store(catalogue, PatchExtractor(settings, build_patch_network(settings)), tmp_path)

    model: Any = timm.create_model("mobilenetv2_100", pretrained=False, pad_type="same").eval()
    model.load_state_dict(load_file(WEIGHTS))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    rows = pq.read_table(TABLE, columns=["product_id", "image"]).slice(0, 6).to_pylist()
    for row in rows:
        picture = (
            Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB").resize((256, 384), Image.Resampling.BICUBIC)
        )
        pixels = (torch.from_numpy(np.array(picture)) / 255 - mean) / std
        map_1CHW = model.forward_features(pixels.permute(2, 0, 1)[None])
        expected = torch.nn.functional.adaptive_avg_pool2d(map_1CHW, 8)[0].flatten(1).T
        np.testing.assert_allclose(store.read([str(row["product_id"])])[0], expected, rtol=1e-3, atol=1e-3)
