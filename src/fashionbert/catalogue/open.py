"""One way into every catalogue: look at the path, choose the reader, read."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from fashionbert.catalogue.parquet import read_parquet
from fashionbert.catalogue.table import Catalogue
from fashionbert.catalogue.tabular import read_tables
from fashionbert.config import CatalogueSettings
from fashionbert.errors import CatalogueError

_FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".h5": "fashiongen",
    ".hdf5": "fashiongen",
}
DEFAULT_SETTINGS = CatalogueSettings()


def open_catalogue(path: str | Path, settings: CatalogueSettings = DEFAULT_SETTINGS) -> Catalogue:
    """Open a catalogue without reading its pictures.

    Rows that cannot be used are in ``Catalogue.faults``. Where the catalogue names no splits, or only ``train``,
    whole groups are held out for ``validation`` by ``settings.validation_share`` and ``settings.split_seed``.

    Args:
        path: a file, a folder of files (looked for in the folder itself, else in its ``data``), or, with
            ``format="hub"``, the name of a Hugging Face data set.
        settings: how rows become products.

    Returns:
        The catalogue, its splits complete.

    Raises:
        CatalogueError: there is nothing to read, the columns are wrong (all faults are listed), or no row is usable.
        MissingExtraError: the format needs a package that is not installed.
    """
    if settings.format == "hub":
        from fashionbert.catalogue.hub import read_hub

        return read_hub(str(path), settings)
    path = Path(path)
    kind, files = _find_files(path, settings.format)
    try:
        return _reader(kind)(files, settings, path.resolve().name)
    except pa.ArrowException as error:
        raise CatalogueError(f"cannot read catalogue {str(path)!r}", [str(error)]) from error


def _reader(kind: str) -> Callable[[Sequence[Path], CatalogueSettings, str], Catalogue]:
    if kind == "fashiongen":
        from fashionbert.catalogue.fashiongen import read_fashiongen

        return read_fashiongen
    return read_parquet if kind == "parquet" else read_tables


def _find_files(path: Path, kind: str) -> tuple[str, list[Path]]:
    """Return the format and the files of it, sorted by name."""
    if path.is_file():
        found = _FORMATS.get(path.suffix.lower()) if kind == "auto" else kind
        if found is None:
            raise CatalogueError(
                f"cannot tell the format of {str(path)!r}",
                [f"name it: format={'|'.join(sorted(set(_FORMATS.values())))}"],
            )
        return found, [path]
    if not path.is_dir():
        raise CatalogueError(
            f"there is no file or folder {str(path)!r}",
            ["check the path; for a data set of the Hugging Face hub, set format=hub"],
        )
    for folder in (path, path / "data"):
        files = [f for f in sorted(folder.glob("*")) if f.suffix.lower() in _FORMATS and not f.name.startswith(".")]
        kinds = sorted({_FORMATS[file.suffix.lower()] for file in files})
        if kind in kinds or (kind == "auto" and len(kinds) == 1):
            wanted = kinds[0] if kind == "auto" else kind
            return wanted, [file for file in files if _FORMATS[file.suffix.lower()] == wanted]
        if kind == "auto" and kinds:
            raise CatalogueError(
                f"folder {str(path)!r} holds tables of several formats",
                [f"choose one: format={'|'.join(kinds)}, or give the path of one file"],
            )
    wanted = "Parquet, CSV, JSONL or HDF5 table" if kind == "auto" else f"{kind} table"
    raise CatalogueError(f"folder {str(path)!r} holds no {wanted}", ["check the path; files are known by their ending"])
