"""``fashionbert bench search``, ``index`` and ``start``: the product from end to end, beside its bare parts."""

from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.bench_turns import Only, Out, Repetitions, measured_in_turns, said, write_measured
from fashionbert.cli.options import Model
from fashionbert.errors import SettingsError

Run = Annotated[Path, typer.Argument(help="Run folder whose model is measured.")]
_CARDS = (20, 50, 100)
SEARCH_NOT_SHOWN = "how good the hits are; a network between caller and index, several callers; queries with pictures"
INDEX_NOT_SHOWN = "catalogues whose pictures are larger or lie elsewhere than on this disk; several pictures a product"
START_NOT_SHOWN = "a disk that has not read the files before, but for the first time, start_seconds; GPUs"


def search(
    index: Annotated[Path, typer.Argument(help="Folder of the index.")],
    queries: Annotated[
        int, typer.Option(min=1, help="Queries of a turn, words in a row out of those of the index.")
    ] = 50,
    cards: Annotated[
        list[int] | None,
        typer.Option("--cards", min=1, max=1000, help="Cards to re-rank; may be repeated.  [default: 20, 50 and 100]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which words are asked.")] = 0,
    model: Model = None,
    repetitions: Repetitions = 3,
    only: Only = None,
    out: Out = None,
) -> None:
    """Ask an index by vectors alone and with cards re-ranked, beside the bare query encoder and product of vectors.

    One query at a time, on the CPU. Each contender holds the index in a process of its own. Nothing else should run
    meanwhile.
    """
    from fashionbert.bench import search_contenders

    asked = list(dict.fromkeys(cards or _CARDS))
    contenders = search_contenders(index, model=model, cards=asked, queries=queries, seed=seed)
    rates, measured = measured_in_turns(contenders, repetitions, only, "queries")
    if out is not None:
        words = " ".join([f"--queries {queries}", *(f"--cards {count}" for count in asked), f"--seed {seed}"])
        command = f"search INDEX {words} {said(repetitions, only)}"
        write_measured(out, "query", command, SEARCH_NOT_SHOWN, _facts(_model_of(index, model)), rates, measured)


def index(
    run: Run,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder of JPEG files; without it pictures are drawn.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Pictures of a turn, at most.")] = 256,
    repetitions: Repetitions = 5,
    only: Only = None,
    out: Out = None,
) -> None:
    """Build an index from picture files, beside the bare networks that have decoded pictures ready.

    On the CPU. Nothing else should run meanwhile.
    """
    from tempfile import TemporaryDirectory

    from fashionbert.bench import draw_pictures, index_contenders
    from fashionbert.scoring import read_settings

    read_settings(run)  # what is no run is said before anything is drawn
    with TemporaryDirectory() as drawn, TemporaryDirectory() as work:
        if pictures is None:
            draw_pictures(Path(drawn), count)
        contenders = index_contenders(run, pictures or Path(drawn), Path(work), count=count)
        rates, measured = measured_in_turns(contenders, repetitions, only, "pictures")
    if out is not None:
        words = f"--count {count}" if pictures is None else f"--pictures FOLDER --count {count}"
        command = f"index RUN {words} {said(repetitions, only)}"
        write_measured(out, "index", command, INDEX_NOT_SHOWN, _facts(run), rates, measured)


def start(
    run: Run,
    index: Annotated[Path | None, typer.Option("--index", help="Folder of an index, for its first answer.")] = None,
    model: Model = None,
    repetitions: Repetitions = 5,
    only: Only = None,
    out: Out = None,
) -> None:
    """From nothing to the first answer, each time in a fresh process, beside what torch and a BERT of that size take.

    On the CPU. Nothing else should run meanwhile.
    """
    from tempfile import TemporaryDirectory

    from fashionbert.bench import Fresh, start_contenders

    if model is not None and index is None:
        raise SettingsError("--model is the run folder of an index", ["name the index with --index, or leave it out"])
    with TemporaryDirectory() as folder:
        contenders = start_contenders(run, Path(folder), index=index, model=model)
        rates, measured = measured_in_turns(contenders, repetitions, only, "", Fresh)
    if out is not None:
        words = "" if index is None else "--index INDEX "
        command = f"start RUN {words}{said(repetitions, only)}"
        write_measured(out, "start", command, START_NOT_SHOWN, _facts(run), rates, measured)


def _model_of(index: Path, model: Path | None) -> Path:
    from fashionbert.search.manifest import Manifest

    return model or Path(Manifest.read(index).model)


def _facts(run: Path) -> dict[str, object]:
    """The shape of the model and of its patch network, on which the figures hang."""
    from fashionbert.model import FashionBertConfig
    from fashionbert.scoring import read_settings

    config, images = FashionBertConfig.from_pretrained(run), read_settings(run).images
    names = ("num_hidden_layers", "split_layers", "hidden_size", "contrastive_size", "late_interaction_size", "patches")
    of_pictures = images.model_dump(mode="json", include={"network", "mode", "height", "width", "variants"})
    return {"model": {name: getattr(config, name) for name in names}, "images": of_pictures}
