"""Exported models give the model's own scores."""

import builtins
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from fashionbert.errors import ExportError, MissingExtraError, RunError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.interop import OnnxScorer, export_onnx, is_exported
from fashionbert.interop import onnx as onnx_module
from fashionbert.interop.onnx_parity import model_margins, random_pairs
from fashionbert.interop.onnx_session import PairSession
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer, load_model, save_weights
from fashionbert.types import PairScorer

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow  # an export takes some seconds

MakeRun: TypeAlias = Callable[..., Path]
ALL_PARTS = {"side_agreement": True, "late_interaction_size": 5, "bank_size": 3}
FORMS: dict[str, dict[str, Any]] = {
    "single stream": {"contrastive_size": 0},
    "vectors apart from the score": {"split_layers": 1},
    "side agreement": {"side_agreement": True},
    "late interaction": {"side_agreement": True, "late_interaction_size": 5, "split_layers": 1},
    "bank": {"side_agreement": True, "bank_size": 3, "standardise_features": True},
    "all parts, one layer apart of three": {**ALL_PARTS, "num_hidden_layers": 3, "split_layers": 1},
}
WORDS = ["red linen dress", "", "a red cotton shirt with long sleeves", "blue", "dress", "linen shirt in blue"]


@pytest.fixture(scope="module")
def whole(make_run: MakeRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with all parts, and its export with 8-bit weights: ``run`` and ``exported``."""
    place = tmp_path_factory.mktemp("whole")
    run = make_run(place / "run", **ALL_PARTS, split_layers=1)
    export_onnx(run, place / "exported", int8=True)
    return place


@pytest.fixture(scope="module", params=[None, *FORMS])
def form(
    request: pytest.FixtureRequest, whole: Path, make_run: MakeRun, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run folder and its export, of each form: ``run`` and ``exported``."""
    if request.param is None:
        return whole
    place = tmp_path_factory.mktemp("form")
    export_onnx(make_run(place / "run", **FORMS[request.param]), place / "exported")
    return place


@pytest.fixture
def own(whole: Path, tmp_path: Path) -> Path:
    """A copy of the export, to break."""
    return Path(shutil.copytree(whole / "exported", tmp_path / "own"))


def batch_of(pairs: int, tokens: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random pairs of the small model, the first text as long as the batch is wide."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, tokens + 1, (pairs,), generator=generator)
    lengths[0] = tokens
    mask = (torch.arange(tokens) < lengths[:, None]).long()
    ids = torch.randint(5, 30, (pairs, tokens), generator=generator) * mask
    return ids, mask, torch.randn(pairs, 9, 12, generator=generator)


@pytest.mark.parametrize(("pairs", "tokens"), [(1, 2), (1, 24), (2, 3), (5, 24), (13, 11)])
def test_margins_are_the_models_whatever_the_sizes(form: Path, pairs: int, tokens: int) -> None:
    batch = batch_of(pairs, tokens, seed=pairs)
    expected = model_margins(load_model(form / "run").eval(), [batch])
    found = PairSession(form / "exported/model.onnx", 1).margins(*(each.numpy() for each in batch))
    assert (found.shape, found.dtype) == ((pairs,), np.float32)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_padding_changes_nothing(form: Path) -> None:
    session = PairSession(form / "exported/model.onnx", 1)
    ids, mask, features = (each.numpy() for each in batch_of(4, 9))
    wide, wider = (np.pad(each, ((0, 0), (0, 12))) for each in (ids, mask))
    plain = session.margins(ids, mask, features)
    np.testing.assert_allclose(session.margins(wide, wider, features), plain, rtol=0, atol=2e-5)
    wide[wider == 0] = 7  # what stands at padding is not read
    np.testing.assert_allclose(session.margins(wide, wider, features), plain, rtol=0, atol=2e-5)


def test_scores_are_those_of_the_scorer(form: Path, pictures: list[bytes]) -> None:
    ours: PairScorer = OnnxScorer.from_pretrained(form / "exported", threads=1)
    pairs = [(text, picture) for picture in pictures for text in WORDS]
    scores = ours.score(pairs)
    assert scores.dtype == np.float32
    assert np.ptp(scores) > 0.01
    np.testing.assert_allclose(scores, Scorer.from_pretrained(form / "run").score(pairs), rtol=0, atol=3e-5)


def test_mirror_images_are_read_too(processor: FashionBertProcessor, whole: Path, pictures: list[bytes]) -> None:
    settings = processor.extractor.settings.model_copy(update={"variants": "mirrored"})
    extractor = PatchExtractor(settings, build_patch_network(settings))
    both = FashionBertProcessor(processor.tokenizer, extractor, 24)
    pairs = [(text, picture) for picture in pictures for text in WORDS]
    session = PairSession(whole / "exported/model.onnx", 1)
    found = OnnxScorer(session, both).score(pairs)
    np.testing.assert_allclose(found, Scorer(load_model(whole / "run"), both).score(pairs), rtol=0, atol=3e-5)
    assert np.abs(found - OnnxScorer(session, processor).score(pairs)).max() > 1e-3


def test_a_picture_in_many_pairs_passes_the_patch_network_once(
    whole: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = OnnxScorer.from_pretrained(whole / "exported", threads=1)
    extract, read = scorer.processor.extractor.forward, []
    monkeypatch.setattr(
        scorer.processor.extractor, "forward", lambda prepared: read.append(len(prepared)) or extract(prepared)
    )
    scorer.score([(text, picture) for picture in pictures[:2] for text in WORDS])
    assert sum(read) == 2


def test_texts_of_like_length_stand_together(
    whole: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = OnnxScorer.from_pretrained(whole / "exported", threads=1)
    scorer.batch_size = 2
    margins, padding = scorer.session.margins, []

    def look(ids: Any, mask: Any, features: Any) -> Any:
        padding.append(int((mask == 0).sum()))
        return margins(ids, mask, features)

    monkeypatch.setattr(scorer.session, "margins", look)
    short, long = "dress", "a red cotton shirt with long sleeves"
    scorer.score([(text, pictures[0]) for text in (short, long, short, long)])
    assert padding == [0, 0]


def test_ranks_as_the_scorer_does(whole: Path, pictures: list[bytes]) -> None:
    ours, theirs = OnnxScorer.from_pretrained(whole / "exported"), Scorer.from_pretrained(whole / "run")
    found, expected = (each.rank("blue dress", pictures, top_k=4) for each in (ours, theirs))
    assert [each.index for each in found] == [each.index for each in expected]
    assert len(found) == 4


def test_no_pairs_no_scores_and_no_text_is_named(whole: Path, pictures: list[bytes]) -> None:
    scorer = OnnxScorer.from_pretrained(whole / "exported")
    assert scorer.score([]).shape == (0,)
    with pytest.raises(TypeError, match="text 1 is None"):
        scorer.score([("dress", pictures[0]), (None, pictures[1])])  # pyright: ignore[reportArgumentType]


def test_the_folder_says_what_it_is(whole: Path) -> None:
    record = json.loads((whole / "exported/onnx.json").read_text("utf-8"))
    assert 0 <= record["parity"]["mean"] <= record["parity"]["largest"] < 1e-4
    assert record["parity"]["rank_correlation"] > 0.999
    assert record["parity"]["largest"] < record["int8"]["largest"]
    assert record["versions"]["onnxruntime"]
    assert record["files"].keys() == {each.name for each in (whole / "exported").iterdir()} - {"onnx.json"}
    assert is_exported(whole / "exported")
    assert not is_exported(whole / "run")


def test_the_graph_names_no_folder_of_this_machine(whole: Path) -> None:
    assert str(Path(torch.__file__).parent).encode() not in (whole / "exported/model.onnx").read_bytes()
    assert b"site-packages" not in (whole / "exported/model.onnx").read_bytes()


def test_the_folder_is_enough_wherever_it_lies(own: Path, whole: Path, pictures: list[bytes], tmp_path: Path) -> None:
    moved = own.rename(tmp_path / "elsewhere")
    pairs = [("blue dress", picture) for picture in pictures]
    expected = OnnxScorer.from_pretrained(whole / "exported", threads=1).score(pairs)
    np.testing.assert_array_equal(OnnxScorer.from_pretrained(moved, threads=1).score(pairs), expected)


def test_eight_bits_are_near(whole: Path, pictures: list[bytes]) -> None:
    pairs = [(text, picture) for picture in pictures for text in WORDS]
    exact, near = (OnnxScorer.from_pretrained(whole / "exported", int8=each).score(pairs) for each in (False, True))
    assert np.abs(near - exact).max() > 1e-5
    assert np.corrcoef(near, exact)[0, 1] > 0.9
    assert b"MatMulInteger" in (whole / "exported/model-int8.onnx").read_bytes()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "patch_extractor.json"])
def test_a_changed_file_is_refused(own: Path, name: str) -> None:
    content = bytearray((own / name).read_bytes())
    content[len(content) // 2] ^= 1
    (own / name).write_bytes(content)
    with pytest.raises(RunError, match=rf"{name} missing or changed since the export; take a whole copy"):
        OnnxScorer.from_pretrained(own)
    (own / name).unlink()
    with pytest.raises(RunError, match=rf"{name} missing or changed since the export; take a whole copy"):
        OnnxScorer.from_pretrained(own)


def test_no_export(own: Path, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"onnx\.json is missing .* name a folder that `fashionbert export` wrote"):
        OnnxScorer.from_pretrained(tmp_path / "nowhere")
    (own / "onnx.json").write_text("[]")
    with pytest.raises(RunError, match=r"onnx\.json is missing or broken"):
        OnnxScorer.from_pretrained(own)
    (own / "onnx.json").write_text(json.dumps({"format": "fashionbert-onnx-0", "files": {}}))
    with pytest.raises(RunError, match="was exported by another version"):
        OnnxScorer.from_pretrained(own)
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(RunError, match=r"cannot load .*broken\.onnx .* export the model anew"):
        PairSession(tmp_path / "broken.onnx")


def test_eight_bits_that_were_not_exported(own: Path) -> None:
    record = json.loads((own / "onnx.json").read_text("utf-8"))
    del record["files"]["model-int8.onnx"]
    (own / "onnx.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"has no model-int8\.onnx: export the model with --int8"):
        OnnxScorer.from_pretrained(own, int8=True)


@pytest.fixture
def exported_before(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph is at hand: no time goes into it."""
    graph = whole / "exported/model.onnx"
    monkeypatch.setattr(onnx_module, "write_graph", lambda _, path: shutil.copyfile(graph, path))


@pytest.mark.usefixtures("exported_before")
def test_a_graph_that_gives_other_scores_is_not_kept(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    margins = onnx_module.session_margins
    monkeypatch.setattr(onnx_module, "session_margins", lambda *given: margins(*given) + np.float32(0.01))
    with pytest.raises(
        ExportError, match=r"margins of the graph are up to 0\.01 from the model's, 0\.0001 are allowed"
    ):
        export_onnx(whole / "run", tmp_path / "out")
    monkeypatch.setattr(onnx_module, "session_margins", lambda *given: margins(*given) * np.float32(np.nan))
    with pytest.raises(ExportError, match=r"margins of the graph are up to nan from the model's"):
        export_onnx(whole / "run", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_graph_of_fixed_sizes_is_not_kept(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.export, "Dim", lambda *_, **__: None)
    with pytest.raises(ExportError, match=r"the graph's sizes are fixed: input_ids \[3, 7\]"):
        export_onnx(whole / "run", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("exported_before")
def test_an_export_replaces_an_export_and_nothing_else(own: Path, whole: Path, tmp_path: Path) -> None:
    (own / "model.onnx").write_bytes(b"")
    export_onnx(whole / "run", own)
    assert {each.name for each in own.iterdir()} == {each.name for each in (whole / "exported").iterdir()} - {
        "model-int8.onnx"
    }
    OnnxScorer.from_pretrained(own)
    with pytest.raises(ExportError, match="holds something else than an exported model: name a new or an empty folder"):
        export_onnx(whole / "run", whole / "run")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="holds something else"):
        export_onnx(whole / "run", tmp_path / "file")


def test_a_model_that_has_not_learnt_pairs(whole: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole / "run", tmp_path / "run"))
    model = load_model(run, FashionBertForPreTraining)
    save_weights(model, run, {"vectors.recall_at_1": 0.5})
    with pytest.raises(RunError, match="has not learnt to score pairs"):
        export_onnx(run, tmp_path / "out")


def test_missing_packages_come_with_their_command(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] in ("onnx", "onnxscript", "onnxruntime"):
            raise ImportError(f"No module named {name!r}", name=name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for call in (
        lambda: OnnxScorer.from_pretrained(whole / "exported"),
        lambda: export_onnx(whole / "run", tmp_path / "out"),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'fashionbert\[onnx\]'"):
            call()
    assert not (tmp_path / "out").exists()


def test_the_drawn_pairs_are_padded_texts_of_all_lengths(whole: Path, processor: FashionBertProcessor) -> None:
    tokenizer, batches = processor.tokenizer, random_pairs(load_model(whole / "run"), processor.tokenizer)
    assert {len(ids) for ids, *_ in batches} >= {1, 2, 24, 32}
    assert max(ids.shape[1] for ids, *_ in batches) == 24
    for ids, mask, _ in batches:
        ends = mask.sum(dim=1) - 1
        assert np.unique(ids[:, 0]).tolist() == [tokenizer.cls_token_id]
        assert np.unique(ids.gather(1, ends[:, None])).tolist() == [tokenizer.sep_token_id]
        assert np.unique(ids[~mask.bool()]).tolist() in ([], [tokenizer.pad_token_id])
    assert any(not mask.all() for _, mask, _ in batches)
