"""A catalogue -> an index, in commits that survive kill -9: what is there and unchanged is not made again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from fashionbert.errors import CatalogueError
from fashionbert.search.rows import FetchedProduct, RowMaker, ViewFault, fetch
from fashionbert.search.table import ViewTable
from fashionbert.types import Product, ProductId

_MOST_PRUNED, _PRUNED_ANYWAY = 0.5, 20
"""Share of an index, and number of products, above which products that are gone are not deleted unasked."""
PICTURES_AT_ONCE = 256
"""Pictures of a commit: some seconds of work, which is all that a kill can cost."""
BYTES_AT_ONCE = 64_000_000
"""Bytes of their files, which are held until the commit: fewer pictures where they are large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildState:
    """How far an indexing is.

    Attributes:
        products: products looked at.
        written: products made or made anew.
        unchanged: products that were there already.
        deleted: products that are in the catalogue no more, where it was asked to delete them.
        faults: pictures that were set aside.
        without_picture: products of which no picture could be used; what the index had of them stays.
    """

    products: int = 0
    written: int = 0
    unchanged: int = 0
    deleted: int = 0
    faults: tuple[ViewFault, ...] = ()
    without_picture: tuple[ProductId, ...] = field(default=())


def build_index(
    products: Iterable[Product],
    table: ViewTable,
    maker: RowMaker,
    *,
    pictures: int,
    prune: bool = False,
    progress: Callable[[BuildState], None] = lambda _: None,
) -> BuildState:
    """Bring a table up to date with a catalogue.

    Args:
        products: with unique ids.
        table: of the index.
        maker: of its model.
        pictures: at most so many pictures of a product.
        prune: also delete what is in the table and not in the catalogue.
        progress: called after every commit.

    Returns:
        What was done.

    Raises:
        CatalogueError: not one product could be used, and the index is empty; or pruning would delete much of it.
        StoreError: the model gives numbers that are not finite.
    """
    known = table.contents()
    state, met = BuildState(), set[ProductId]()
    for batch in _batches(fetch(product, pictures) for product in products):
        met.update(item.product.product_id for item in batch)
        changed = [item for item in batch if known.get(item.product.product_id) != item.content]
        state = replace(
            state,
            products=state.products + len(batch),
            unchanged=state.unchanged + len(batch) - len(changed),
        )
        if changed:
            state = _write(changed, known, table, maker, state)
        progress(state)
    if not known and not state.written:
        raise CatalogueError(
            "no product of the catalogue has a picture that can be used", [fault.message for fault in state.faults[:8]]
        )
    gone = sorted(known.keys() - met) if prune else []
    if len(gone) > max(_PRUNED_ANYWAY, _MOST_PRUNED * len(known)):
        raise CatalogueError(
            f"--prune would delete {len(gone):,} of {len(known):,} products, which looks like pictures or a drive that "
            "cannot be read just now; nothing was deleted, what is new or changed was written",
            ["see `fashionbert catalogue check`; if it is meant, remove the index and make it anew"],
        )
    for start in range(0, len(gone), 1000):
        table.delete(gone[start : start + 1000])
    return replace(state, deleted=len(gone))


def put_products(
    products: Sequence[Product], table: ViewTable, maker: RowMaker, *, pictures: int, wait: float
) -> tuple[list[ProductId], list[ViewFault]]:
    """Write single products in one commit, in place of what was there of them.

    Args:
        products: with unique ids.
        table: of the index.
        maker: of its model.
        pictures: at most so many pictures of a product.
        wait: seconds to wait for another writer.

    Returns:
        The products that have a usable picture and were written, and the pictures that were set aside.

    Raises:
        FolderInUseError: another writer is at work for longer.
    """
    rows, faults = maker.rows([fetch(product, pictures) for product in products])
    written = sorted(set(rows["product_id"].to_pylist()))
    if written:
        table.upsert(rows, written, new=False, wait=wait)
    return written, faults


def _write(
    changed: Sequence[FetchedProduct], known: dict[ProductId, str], table: ViewTable, maker: RowMaker, state: BuildState
) -> BuildState:
    rows, faults = maker.rows(changed)
    usable = set(rows["product_id"].to_pylist())
    if usable:
        table.upsert(rows, sorted(usable), new=usable.isdisjoint(known))
    known.update({item.product.product_id: item.content for item in changed if item.product.product_id in usable})
    without = [item.product.product_id for item in changed if item.product.product_id not in usable]
    return replace(
        state,
        written=state.written + len(usable),
        faults=(*state.faults, *faults),
        without_picture=(*state.without_picture, *without),
    )


def _batches(fetched: Iterable[FetchedProduct]) -> Iterator[list[FetchedProduct]]:
    batch: list[FetchedProduct] = []
    pictures = size = 0
    for item in fetched:
        batch.append(item)
        pictures, size = pictures + len(item.sources), size + item.size
        if pictures >= PICTURES_AT_ONCE or size >= BYTES_AT_ONCE:
            yield batch
            batch, pictures, size = [], 0, 0
    if batch:
        yield batch
