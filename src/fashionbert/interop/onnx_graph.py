"""The pair model as an ONNX graph, in float32 and with 8-bit weights.

Letters: B pairs, T text tokens, P patches, F feature size.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from fashionbert.errors import MissingExtraError
from fashionbert.interop.onnx_session import INPUTS, OUTPUT
from fashionbert.model import FashionBertForMatching, frame_ids

_TALKATIVE = ("onnxscript", "onnx_ir", "torch.onnx")
"""Loggers of what stands between the model and its graph; they warn of graphs that come out right."""


class PairMargin(nn.Module):
    """What is exported: a pair's tensors in, its margin out; each side passes the layers of its own once.

    The scores are those of :meth:`FashionBertForMatching.forward`, which reads the sides anew for their vectors.
    """

    def __init__(self, model: FashionBertForMatching) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, patch_features: Tensor) -> Tensor:
        """Give the margins ``logit(match) - logit(no match)`` [B] of ids and mask [B, T] and features [B, P, F]."""
        encoder = self.model.fashionbert
        texts, pictures = encoder.read_texts(input_ids, attention_mask), encoder.read_pictures(patch_features)
        vectors = None
        if self.model.side_agreement is not None:
            frame = encoder.read_texts(frame_ids(input_ids, attention_mask))
            vectors = self.model.vectors_of_texts(texts), self.model.vectors_of_pictures(frame, pictures)
        logits_B2 = self.model.join(texts, pictures, vectors, only_cls=True).alignment_logits
        assert logits_B2 is not None
        return logits_B2[:, 1] - logits_B2[:, 0]


def write_graph(model: FashionBertForMatching, path: Path) -> None:
    """Export the pair score with any number of pairs and of tokens up to the model's longest; P stays the model's.

    Args:
        model: float32, on the CPU, in evaluation mode; its attention is left as ``eager``.
        path: of the file.

    Raises:
        MissingExtraError: a package that writes graphs is not installed.
    """
    try:
        import onnx  # noqa: F401  # pyright: ignore[reportMissingImports]
        import onnxscript  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError(error.name or "onnx", "onnx", "exporting a model") from error
    config = model.config
    model.set_attn_implementation("eager")
    pairs = torch.export.Dim("pairs", min=1)
    tokens = torch.export.Dim("tokens", min=2, max=config.max_position_embeddings)
    ids_BT = torch.ones(3, min(7, config.max_position_embeddings), dtype=torch.int64)
    features_BPF = torch.zeros(3, config.patches, config.patch_feature_size)
    with _quiet():
        program = torch.onnx.export(
            PairMargin(model).eval(),
            (ids_BT, torch.ones_like(ids_BT), features_BPF),
            input_names=INPUTS,
            output_names=[OUTPUT],
            dynamic_shapes=({0: pairs, 1: tokens}, {0: pairs, 1: tokens}, {0: pairs}),
            dynamo=True,
            verbose=False,
        )
        assert program is not None, "the dynamo exporter returns its program"
        for node in program.model.graph:
            node.metadata_props.clear()  # lines of the source, with the paths that they have on this machine
        program.save(str(path))


def quantise(source: Path, path: Path) -> None:
    """Write a graph with 8-bit weights, one scale for each column; what passes between them stays float32.

    Args:
        source: a graph that :func:`write_graph` wrote.
        path: of the new one.

    Raises:
        MissingExtraError: a package that reads and quantises graphs is not installed.
    """
    try:
        import onnx  # pyright: ignore[reportMissingImports]
        from onnxruntime.quantization import (  # pyright: ignore[reportMissingImports]
            QuantType,
            quant_pre_process,
            quantize_dynamic,
        )
    except ImportError as error:
        raise MissingExtraError(error.name or "onnxruntime", "onnx", "a model with 8-bit weights") from error
    with _quiet(), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        # It turns weights the way round that products take them; without, most of them are not found.
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(str(prepared))
        del graph.graph.value_info[:]  # shapes from before, which older versions hold against the new ones
        quantize_dynamic(graph, path, weight_type=QuantType.QInt8, per_channel=True)


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
