"""``fashionbert bench``: fashionbert beside others, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from fashionbert.cli import bench_product
from fashionbert.cli.bench_turns import Only, Out, Repetitions, measured_in_turns, said, write_measured
from fashionbert.cli.options import Assignments, Device, Features
from fashionbert.errors import SettingsError

if TYPE_CHECKING:
    from fashionbert.bench.frontier import Point
    from fashionbert.types import Speed

app = typer.Typer(help="Measure fashionbert beside others on this machine.", no_args_is_help=True)
_CARDS = (0, 10, 20, 50, 100)
SCORING_NOT_SHOWN = "quality: all weights are random; patch features, tokenizing, a network between caller and model"
TRAINING_NOT_SHOWN = "reading of features and texts, the contrastive task, mined wrong pairs, checkpoints"
FEATURES_NOT_SHOWN = "quality: all weights are random; mirror images, which cost the same again"


@app.callback()
def bench() -> None:
    """Measure fashionbert beside others on this machine."""


@app.command()
def scoring(
    layers: Annotated[int, typer.Option(min=2, help="Layers of every model.")] = 6,
    width: Annotated[int, typer.Option(min=8, help="Width of every model.")] = 384,
    heads: Annotated[int, typer.Option(min=1, help="Heads of attention.")] = 12,
    tokens: Annotated[int, typer.Option(min=3, help="WordPieces of the query.")] = 16,
    candidates: Annotated[int, typer.Option(min=2, help="Pictures that the query is scored against.")] = 100,
    repetitions: Repetitions = 7,
    only: Only = None,
    out: Out = None,
) -> None:
    """Score one query against many pictures, by fashionbert and by others at equal layers, width and tokens.

    Nothing else should run meanwhile. Who is not installed is left out and named.
    """
    from tempfile import TemporaryDirectory

    from fashionbert.bench import JOINT, ScoringShape, joint_operations, scoring_contenders

    shape = ScoringShape(
        layers=layers, width=width, heads=heads, tokens=tokens, candidates=candidates, split_layers=layers - 1
    )
    words = f"--layers {layers} --width {width} --heads {heads} --tokens {tokens} --candidates {candidates}"
    kind = f"scoring-{layers}x{width}"
    with TemporaryDirectory() as folder:
        rates, measured = measured_in_turns(scoring_contenders(shape, Path(folder)), repetitions, only, "pairs")
    operations = joint_operations(shape)
    for each in measured:
        if each.contender.name == JOINT and each.seconds:
            share = operations / each.median / rates["fp32"]
            typer.echo(f"{JOINT}: {100 * share:.0f} % of the rate of the largest fp32 matrix product")
    if out is not None:
        command = f"scoring {words} {said(repetitions, only)}"
        write_measured(out, kind, command, SCORING_NOT_SHOWN, {"joint_operations": operations}, rates, measured)


@app.command()
def features(
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder of JPEG files; without it pictures are drawn.")
    ] = None,
    cell_size: Annotated[int, typer.Option(min=32, help="Pixels to which crop mode brings each cell.")] = 224,
    repetitions: Repetitions = 5,
    only: Only = None,
    out: Out = None,
) -> None:
    """Patch features of pictures, beside the bare network that has its input ready.

    Nothing else should run meanwhile.
    """
    from tempfile import TemporaryDirectory

    from fashionbert.bench import draw_pictures, feature_contenders

    with TemporaryDirectory() as folder:
        if pictures is None:
            draw_pictures(Path(folder))
        contenders = feature_contenders(pictures or Path(folder), cell_size=cell_size)
        rates, measured = measured_in_turns(contenders, repetitions, only, "pictures")
    if out is not None:
        words = f"--cell-size {cell_size} {'' if pictures is None else '--pictures FOLDER '}"
        command = f"features {words}{said(repetitions, only)}"
        write_measured(out, "features", command, FEATURES_NOT_SHOWN, {}, rates, measured)


@app.command()
def training(
    layers: Annotated[int, typer.Option(min=1, help="Layers of every model.")] = 6,
    width: Annotated[int, typer.Option(min=8, help="Width of every model.")] = 384,
    heads: Annotated[int, typer.Option(min=1, help="Heads of attention.")] = 12,
    tokens: Annotated[int, typer.Option(min=3, help="WordPieces of each text.")] = 64,
    pairs: Annotated[int, typer.Option(min=2, help="Pairs of a step.")] = 32,
    profile: Annotated[bool, typer.Option("--profile", help="Also say where the time of our step goes.")] = False,
    repetitions: Repetitions = 5,
    only: Only = None,
    out: Out = None,
) -> None:
    """Take a training step under each weighing of the tasks, beside a fine-tuning step of a BERT on as many places.

    Nothing else should run meanwhile.
    """
    from rich.console import Console

    from fashionbert.bench import EQUAL, PAPER, TrainingShape, profile_step, training_contenders, training_operations
    from fashionbert.cli.bench_tables import profile_table

    shape = TrainingShape(layers=layers, width=width, heads=heads, tokens=tokens, pairs=pairs)
    rates, measured = measured_in_turns(training_contenders(shape), repetitions, only, "pairs")
    operations, there = training_operations(shape), {each.contender.name: each for each in measured if each.seconds}
    if EQUAL in there:
        share = operations / there[EQUAL].median / rates["fp32"]
        typer.echo(f"{EQUAL}: {100 * share:.0f} % of the rate of the largest fp32 matrix product")
    if {EQUAL, PAPER} <= there.keys():
        more = there[PAPER].median / there[EQUAL].median - 1
        typer.echo(f"the paper's weights make a step {100 * more:.1f} % longer")
    figures: dict[str, Any] = {"operations": operations}
    if profile:
        figures["profile_milliseconds"] = profile_step(shape)
        Console().print(profile_table(figures["profile_milliseconds"]))
    if out is not None:
        words = f"--layers {layers} --width {width} --heads {heads} --tokens {tokens} --pairs {pairs}"
        command = f"training {words} {'--profile ' if profile else ''}{said(repetitions, only)}"
        write_measured(out, f"training-{layers}x{width}", command, TRAINING_NOT_SHOWN, figures, rates, measured)


@app.command()
def frontier(
    runs: Annotated[list[Path], typer.Argument(help="Run folders: one, or several to choose from.")],
    catalogue: Annotated[
        str, typer.Option("--catalogue", help="Catalogue with products that they did not learn from.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the table, the picture and the figures.")],
    split: Annotated[str, typer.Option(help="Split of the catalogue.")] = "validation",
    cards: Annotated[
        list[int] | None, typer.Option("--cards", min=0, max=1000, help="Cards to re-rank; may be repeated.")
    ] = None,
    speeds: Annotated[
        list[str] | None, typer.Option("--speed", help="Speeds to measure; may be repeated.  [default: all there are]")
    ] = None,
    within: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="R@1 that may be given up for speed, as a share.")
    ] = 0.01,
    assignments: Assignments = None,
    features_of: Features = None,
    device: Device = "auto",
) -> None:
    """How good and how fast each way to search is on one's own catalogue, and which one to take.

    Vectors alone, and the pair model on the best 10, 20, 50 and 100 of them, at each speed that model and device have.
    What is recommended of a run is written into its folder, where index, search and serve find it. Nothing else should
    run meanwhile.
    """
    from rich.console import Console

    from fashionbert.bench.drawing import frontier_figure
    from fashionbert.bench.frontier import figures, measure_points, recommended
    from fashionbert.bench.results import circumstances
    from fashionbert.catalogue import open_catalogue
    from fashionbert.cli.bars import pair_progress
    from fashionbert.cli.bench_tables import frontier_table
    from fashionbert.cli.stores import open_store, torch_device
    from fashionbert.config.loading import changed
    from fashionbert.data import build_examples
    from fashionbert.evaluation import style
    from fashionbert.evaluation.gallery import gallery_of
    from fashionbert.files import write_json
    from fashionbert.scoring import Scorer, load_model, read_settings
    from fashionbert.scoring.speed import speeds_of

    _refuse_same_names(runs)
    _refuse_without_frontier(runs)
    _refuse_other_speeds(speeds or [])
    place, points = torch_device(device), []
    out.mkdir(parents=True, exist_ok=True)
    for run in runs:
        products = open_catalogue(catalogue, changed(read_settings(run), assignments or ()).catalogue)
        store = None
        for speed in _chosen(speeds_of(load_model(run).config, place), speeds or []):
            scorer = Scorer.from_pretrained(run, device=place, speed=speed, precision="auto")
            if store is None:
                folder = features_of or out / f"features-{scorer.processor.extractor.fingerprint}"
                store = open_store(products.split(split), scorer.processor.extractor, folder, whole=products)
            measured = products.split(split)
            usable = measured.subset([product_id in store for product_id in measured.column("product_id")])
            words = scorer.processor
            limit = words.max_text_tokens
            examples = build_examples(usable, store, words.tokenizer, max_tokens=limit, all_pictures=False)
            with pair_progress(Console(stderr=True)) as show:
                points += measure_points(
                    run.name,
                    speed,
                    scorer,
                    examples,
                    gallery_of(usable),
                    usable.column("text"),
                    cards or list(_CARDS),
                    show,
                )
    chosen = recommended(points, within)
    style.save(frontier_figure(points, chosen), out / "frontier.png")
    write_json(out / "frontier.json", {**circumstances(), **figures(points, chosen)})
    Console().print(frontier_table(points, chosen))
    typer.echo(f"written: {out / 'frontier.json'}, {out / 'frontier.png'}")
    _advise(runs, points, within, {"catalogue": catalogue, "split": split})


def _advise(runs: list[Path], points: "list[Point]", within: float, measured_on: dict[str, str]) -> None:
    """Write into each run folder what is recommended of that run."""
    from fashionbert.bench.frontier import figures, recommended
    from fashionbert.search.advice import Advice, write_advice

    for run in runs:
        own = [point for point in points if point.run == run.name]
        advised = recommended(own, within)
        write_advice(run, Advice(advised.cards, advised.speed), {**measured_on, **figures(own, advised)})


def _refuse_same_names(runs: list[Path]) -> None:
    if len({run.name for run in runs}) < len(runs):
        raise SettingsError("several runs have one name", [f"name folders apart: {', '.join(map(str, runs))}"])


def _chosen(there: "list[Speed]", wanted: list[str]) -> "list[Speed]":
    """Those that are wanted, all where none is named; a run that has none of them is measured at its first."""
    return [each for each in there if not wanted or str(each) in wanted] or there[:1]


def _refuse_other_speeds(speeds: list[str]) -> None:
    from fashionbert.types import Speed

    known = ", ".join(get_args(Speed))
    faults = [f"--speed {each} should be one of {known}" for each in speeds if each not in get_args(Speed)]
    if faults:
        raise SettingsError("there is no such speed", faults)


def _refuse_without_frontier(runs: list[Path]) -> None:
    """Before anything is measured, raise for all runs that cannot be."""
    from fashionbert.bench.frontier import NEEDED
    from fashionbert.scoring import load_model
    from fashionbert.scoring.run_folder import pairs_were_learnt

    lacking = [run for run in runs if load_model(run).vector_head is None or not pairs_were_learnt(run)]
    if lacking:
        raise SettingsError("there is no frontier", [f"{run.name}: {NEEDED}" for run in lacking])


app.command()(bench_product.search)
app.command()(bench_product.index)
app.command()(bench_product.start)
