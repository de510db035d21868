"""Train with a checkpoint at every step and die as if the plug were pulled: ``WORLD STORE OUT SETTINGS STEP``."""

import io
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from rich.console import Console

from fashionbert.catalogue import open_catalogue
from fashionbert.config import changed, settings_from_yaml
from fashionbert.images.store import FeatureStore
from fashionbert.training import Display, build_extractor, train


class Plug(Display):
    def step(self, step: int, figures: Mapping[str, float]) -> None:
        if step == int(sys.argv[5]):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    world, store, out, settings = map(Path, sys.argv[1:5])
    torch.set_num_threads(1)
    wanted = changed(settings_from_yaml(settings), ["training.checkpoint_minutes=1e-9"])
    display = Plug(Console(file=io.StringIO()))
    extractor = build_extractor(wanted.images)
    train(wanted, open_catalogue(world), FeatureStore.open(store), extractor, out, display, cpu=True)


if __name__ == "__main__":
    main()
