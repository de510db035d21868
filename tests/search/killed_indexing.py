"""Index and die as if the plug were pulled once so many products are looked at: ``CATALOGUE RUN INDEX PRODUCTS``."""

import os
import signal
import sys
from pathlib import Path

import torch

from fashionbert.catalogue import open_catalogue
from fashionbert.search import BuildState, IndexOptions, build, index_catalogue


def pull_the_plug(state: BuildState) -> None:
    if state.products >= int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    catalogue, run, index = map(Path, sys.argv[1:4])
    torch.set_num_threads(1)
    build.PICTURES_AT_ONCE = 8
    index_catalogue(
        open_catalogue(catalogue),
        index,
        model=run,
        options=IndexOptions(precision="fp32"),
        progress=pull_the_plug,
    )


if __name__ == "__main__":
    main()
