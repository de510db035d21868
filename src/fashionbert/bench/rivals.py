"""What others offer for the same work, each with its best documented settings.

Packages are imported in the functions: one that is not installed takes one contender out, not the benchmark.

Letters: N candidates, S places of a pair, T text tokens, P patches, F feature size.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from fashionbert.bench.contender import Work

_PATCH_SIDE = 32
"""Pixels of ViLT's patches."""
_LATENCY = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
"""OpenVINO's hints for a single caller."""
_BACK_ENDS: dict[str, dict[str, Any]] = {
    "torch": {},
    "onnx": {"provider": "CPUExecutionProvider"},
    "openvino": {"ov_config": _LATENCY},
}
"""What a CrossEncoder hands on to the library of each of its back ends (sbert.net, Cross Encoder, Speeding up)."""


def bert(folder: str, attention: str) -> Work:
    """Transformers' BERT with a head of one number."""
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification.from_pretrained(Path(folder) / "bert", attn_implementation=attention).eval()
    tokens_NS = torch.from_numpy(_inputs(folder)["tokens"])
    return lambda: _logits(model, input_ids=tokens_NS)


def cross_encoder(folder: str, backend: Literal["torch", "onnx", "openvino"]) -> Work:
    """sentence-transformers' CrossEncoder, which is asked for token ids, so that its tokenizer is not timed.

    Its back ends ``onnx`` and ``openvino`` need optimum, with which it exports the model while it loads it.
    """
    from sentence_transformers import CrossEncoder  # pyright: ignore[reportMissingImports]

    path = str(_with_tokenizer(Path(folder) / "bert"))
    encoder: Any = CrossEncoder(path, device="cpu", backend=backend, model_kwargs=_BACK_ENDS[backend])
    tokens_NS = torch.from_numpy(_inputs(folder)["tokens"])
    if backend == "torch":
        return lambda: _logits(encoder.model, input_ids=tokens_NS)
    whole = {"attention_mask": torch.ones_like(tokens_NS), "token_type_ids": torch.zeros_like(tokens_NS)}
    return lambda: _logits(encoder.model, input_ids=tokens_NS, **whole)  # exported models ask for all three


def visual_bert(folder: str) -> Work:
    """Transformers' VisualBERT with as many visual places as there are patches."""
    from transformers import VisualBertConfig, VisualBertModel

    inputs, sizes = _inputs(folder), _sizes(folder)
    features_NPF = torch.from_numpy(inputs["features"])
    torch.manual_seed(0)
    config = VisualBertConfig(**sizes, visual_embedding_dim=features_NPF.shape[2])
    model = VisualBertModel(config).eval()
    text_NT = torch.from_numpy(inputs["text"]).expand(len(features_NPF), -1)

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            return model(input_ids=text_NT, visual_embeds=features_NPF).pooler_output[:, 0].numpy()

    return work


def vilt(folder: str) -> Work:
    """Transformers' ViLT on pictures that have as many patches as ours."""
    from transformers import ViltConfig, ViltModel

    inputs, sizes = _inputs(folder), _sizes(folder)
    count, patches, _ = inputs["features"].shape
    rows = int(np.sqrt(patches))
    side = rows * _PATCH_SIDE
    torch.manual_seed(0)
    config = ViltConfig(**sizes, image_size=side, patch_size=_PATCH_SIDE, max_image_length=patches)
    model = ViltModel(config).eval()
    text_NT = torch.from_numpy(inputs["text"]).expand(count, -1)
    pixels = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))

    def work() -> NDArray[np.float32]:
        with torch.inference_mode():
            return model(input_ids=text_NT, pixel_values=pixels).pooler_output[:, 0].numpy()

    return work


def onnx_runtime(folder: str, int8: bool) -> Work:
    """ONNX Runtime on the exported BERT, fused by its own optimizer; int8 by its dynamic quantization."""
    import onnxruntime  # pyright: ignore[reportMissingImports]

    path = _quantized(folder) if int8 else _fused(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    [name] = [each.name for each in session.get_inputs()]
    tokens_NS = _inputs(folder)["tokens"]
    return lambda: np.asarray(session.run(None, {name: tokens_NS})[0])[:, 0]


def openvino(folder: str) -> Work:
    """OpenVINO on the exported BERT, with the hint for a single caller."""
    from openvino import Core  # pyright: ignore[reportMissingImports]

    core = Core()
    model = core.read_model(_exported(folder))
    hints = {**_LATENCY, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = core.compile_model(model, "CPU", hints)
    tokens_NS = _inputs(folder)["tokens"]
    return lambda: np.asarray(compiled([tokens_NS])[0])[:, 0]


def _logits(model: Any, **inputs: torch.Tensor) -> NDArray[np.float32]:
    with torch.inference_mode():
        return model(**inputs).logits[:, 0].numpy()


def _inputs(folder: str) -> dict[str, NDArray[Any]]:
    return dict(np.load(Path(folder) / "inputs.npz"))


def _sizes(folder: str) -> dict[str, Any]:
    from transformers import BertConfig

    config = BertConfig.from_pretrained(Path(folder) / "bert")
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    return {name: getattr(config, name) for name in (*sizes, "vocab_size", "max_position_embeddings")}


def _exported(folder: str) -> Path:
    """Write BERT as ONNX, once for all that read it."""
    from transformers import BertForSequenceClassification

    path = Path(folder) / "bert.onnx"
    if path.exists():
        return path
    model = BertForSequenceClassification.from_pretrained(Path(folder) / "bert", attn_implementation="eager").eval()
    tokens_NS = torch.from_numpy(_inputs(folder)["tokens"])
    program = torch.onnx.export(
        _LogitsAlone(model).eval(), (tokens_NS,), input_names=["input_ids"], dynamo=True, verbose=False
    )
    assert program is not None
    program.save(str(path))
    return path


class _LogitsAlone(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids).logits


def _fused(folder: str) -> Path:
    from onnxruntime.transformers.optimizer import optimize_model  # pyright: ignore[reportMissingImports]

    path = Path(folder) / "fused.onnx"
    if not path.exists():
        sizes = _sizes(folder)
        heads, width = sizes["num_attention_heads"], sizes["hidden_size"]
        fused = optimize_model(str(_exported(folder)), model_type="bert", num_heads=heads, hidden_size=width)
        fused.save_model_to_file(str(path))
    return path


def _quantized(folder: str) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic  # pyright: ignore[reportMissingImports]

    path = Path(folder) / "int8.onnx"
    if not path.exists():
        quantize_dynamic(_fused(folder), path, weight_type=QuantType.QInt8, per_channel=True)
    return path


def _with_tokenizer(folder: Path) -> Path:
    """Give a model the files of a tokenizer, without which its library does not open it."""
    from transformers import BertTokenizer

    if not (folder / "tokenizer.json").exists():
        vocabulary = {piece: number for number, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])}
        BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    return folder
