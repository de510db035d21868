"""A catalogue and a run folder -> the folder of an index, made anew or brought up to date."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from fashionbert.arithmetic import resolved
from fashionbert.files import only_writer
from fashionbert.scoring import KeptPictures, model_fingerprint
from fashionbert.search.advice import advised
from fashionbert.search.build import BuildState, build_index
from fashionbert.search.calibration import CALIBRATION
from fashionbert.search.encoders import OURS, load_stages, model_name
from fashionbert.search.manifest import MANIFEST, Manifest
from fashionbert.search.rows import RowMaker
from fashionbert.search.table import ViewTable
from fashionbert.types import Precision, Product, Speed


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What may be chosen of an index; an index keeps what it was made with.

    Attributes:
        recall: what recalls: ``fashionbert``, or a CLIP or SigLIP by hub id or folder.
        precision: arithmetic of the pair model.
        speed: of the pair model, ``fast`` in an arithmetic of its own; None: that of the index where there is one, else
            what ``fashionbert bench frontier`` advised for the model, else exact.
        pictures: at most so many pictures of a product.
        thumbnail_side: longest side in pixels of the pictures on cards.
        exact_up_to: pictures up to which every one is compared, in memory; above, an approximate index is asked.
        titles: whether titles stand before pictures in the vectors; None: where the model has learnt from titles.
    """

    recall: str = OURS
    precision: Precision = "auto"
    speed: Speed | None = None
    pictures: int = 8
    thumbnail_side: int = 320
    exact_up_to: int = 500_000
    titles: bool | None = None


_DEFAULT_OPTIONS = IndexOptions()


def index_catalogue(
    products: Iterable[Product],
    folder: str | Path,
    *,
    model: str | Path,
    options: IndexOptions = _DEFAULT_OPTIONS,
    device: str = "cpu",
    prune: bool = False,
    progress: Callable[[BuildState], None] = lambda _: None,
) -> BuildState:
    """Make the index of a catalogue, or bring it up to date.

    Can be stopped at any moment, by kill -9 too: the same call goes on where it stopped, and what is there and
    unchanged is not made again.

    Args:
        products: with unique ids.
        folder: of the index.
        model: run folder whose model searches it.
        options: of a new index; an index that is there must have been made with the same ones.
        device: where the model runs.
        prune: also delete products that are no longer in the catalogue.
        progress: called after every commit.

    Returns:
        What was done.

    Raises:
        SearchIndexError: the folder holds an index of another model or of other options, or a damaged one.
        FolderInUseError: another process is just making an index there.
        CatalogueError: no product has a picture that can be used.
        RunError: the model is missing or damaged.
        SettingsError: the model has no vectors or not this speed, or the hub model cannot be loaded.
        MissingExtraError: LanceDB is not installed.
    """
    folder, run = Path(folder), Path(model)
    speed = options.speed or _usual_speed(folder, run, options.recall)
    scorer, encoder = load_stages(run, replace(options, speed=speed), device)
    kept = KeptPictures(scorer)
    wanted = Manifest(
        model=str(run.resolve()),
        model_fingerprint=model_fingerprint(run),
        precision="auto" if speed == "fast" else resolved(options.precision, device),
        speed=speed,
        numbers=scorer.pace.numbers,
        record_bytes=kept.dtype.itemsize,
        vector_size=encoder.size,
        recall=options.recall if options.recall == OURS else model_name(options.recall),
        recall_fingerprint=encoder.fingerprint,
        thumbnail_side=options.thumbnail_side,
        pictures=options.pictures,
        exact_up_to=options.exact_up_to,
        titles=encoder.title is not None,
    )
    table = _open_or_create(folder, wanted)
    maker = RowMaker(kept, encoder, thumbnail_side=options.thumbnail_side)
    state = build_index(products, table, maker, pictures=options.pictures, prune=prune, progress=progress)
    table.tidy(options.exact_up_to)
    return state


def _usual_speed(folder: Path, run: Path, recall: str) -> Speed:
    """That of the index where there is one, whatever was found out since; else what is advised for our own recall."""
    if (folder / MANIFEST).exists():
        return Manifest.read(folder).speed
    return advised(run).speed if recall == OURS else "exact"


def _open_or_create(folder: Path, wanted: Manifest) -> ViewTable:
    if not (folder / MANIFEST).exists():
        with only_writer(folder):
            if not (folder / MANIFEST).exists():  # another process may have been faster, and have written rows since
                table = ViewTable.create(folder, wanted.vector_size)
                (folder / CALIBRATION).unlink(missing_ok=True)  # of an index that was here before
                wanted.write(folder)  # last: without it the folder is no index yet
                return table
    Manifest.read(folder).refuse_other(wanted, folder)
    return ViewTable.open(folder)
