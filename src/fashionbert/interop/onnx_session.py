"""ONNX Runtime on an exported pair model, on the CPU.

Letters: B pairs, T text tokens, P patches, F feature size.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import MissingExtraError, RunError

INPUTS = ("input_ids", "attention_mask", "patch_features")
OUTPUT = "margin"


class PairSession:
    """A graph that is ready to run."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Load a graph.

        Args:
            path: of the model.
            threads: of one call; None: as many as ONNX Runtime takes.

        Raises:
            MissingExtraError: ONNX Runtime is not installed.
            RunError: the file is no model, or none that this version can run.
        """
        try:
            import onnxruntime  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "onnx", "an exported model") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no class in common
            raise RunError(
                f"ONNX Runtime {onnxruntime.__version__} cannot load {path} ({error!s:.300}): export the model anew"
            ) from error
        self._session: Any = session

    @property
    def fixed(self) -> list[str]:
        """Inputs whose number of pairs or tokens the graph has written down; none, if all is well."""
        free = {"input_ids": 2, "attention_mask": 2, "patch_features": 1}
        return [
            f"{each.name} {list(each.shape)}"
            for each in self._session.get_inputs()
            if any(isinstance(size, int) for size in each.shape[: free.get(each.name, 0)])
        ]

    def margins(
        self, ids_BT: NDArray[np.int64], mask_BT: NDArray[np.int64], features_BPF: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Score pairs.

        Args:
            ids_BT: ``[CLS] words [SEP]`` and padding.
            mask_BT: 1 at real tokens, 0 at padding.
            features_BPF: patch features.

        Returns:
            Margins ``logit(match) - logit(no match)`` [B].
        """
        values = dict(zip(INPUTS, (ids_BT, mask_BT, features_BPF), strict=True))
        return self._session.run([OUTPUT], values)[0]
