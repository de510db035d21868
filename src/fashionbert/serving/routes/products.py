"""Products: read by anybody, written by who has the key."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from fashionbert.catalogue import HeldPicture
from fashionbert.search import SearchEngine
from fashionbert.search.shelf import Shelf
from fashionbert.search.thumbnails import MEDIA_TYPE
from fashionbert.serving.bodies import (
    NamedProductBody,
    NewProductId,
    ProblemAnswer,
    ProductAnswer,
    ProductBody,
    ProductsBody,
    ViewAnswer,
    WrittenAnswer,
)
from fashionbert.serving.desk import Sent
from fashionbert.serving.door import WritingRoute
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.routes.search import PROBLEMS
from fashionbert.serving.service import Service, TheService, thumbnail_url
from fashionbert.serving.waiting import wait_for
from fashionbert.types import Product

router = APIRouter(prefix="/v1", tags=["products"])
writes = APIRouter(prefix="/v1", tags=["products"], route_class=WritingRoute)
ProductIdPath = Annotated[str, Path(min_length=1, max_length=500)]
NewProductIdPath = Annotated[NewProductId, Path(min_length=1, max_length=500)]
_MOST_PICTURES = 200
"""Of one write: some seconds of the model, which all others wait for."""
_READ = {**PROBLEMS, 404: {"model": ProblemAnswer, "description": "There is no such product or picture."}}
_WRITE = {
    **_READ,
    401: {"model": ProblemAnswer, "description": "The key is missing or wrong."},
    403: {"model": ProblemAnswer, "description": "This service takes no writes."},
}


@router.get("/products/{product_id:path}", responses=_READ)
def read_product(service: TheService, product_id: ProductIdPath) -> ProductAnswer:
    """Give a product with all its pictures."""
    shelf = service.worker.shelf
    _need(shelf, product_id)
    views = shelf.cards_of_product(product_id)
    pictures = [
        ViewAnswer(view=view["view"], picture=view["picture"], thumbnail=thumbnail_url(product_id, view["view"]))
        for view in views
    ]
    shared = {
        name: views[0][name] for name in ("product_id", "group_id", "text", "category", "subcategory", "attributes")
    }
    return ProductAnswer(**shared, views=pictures)


@router.get("/thumbnails/{product_id:path}", responses={**_READ, 200: {"content": {MEDIA_TYPE: {}}}})
def thumbnail(
    request: Request, service: TheService, product_id: ProductIdPath, view: int | None = Query(None, ge=0, le=32_767)
) -> Response:
    """Give the small picture of a product, the first that there is where no number is named."""
    shelf = service.worker.shelf
    _need(shelf, product_id)
    if view is not None and view not in shelf.views[shelf.rows_of(product_id)]:
        raise ProblemError(404, "no-such-picture", f"product {product_id!r} has no picture {view}")
    picture = shelf.thumbnail(product_id, view)
    tag = f'"{hashlib.sha256(picture).hexdigest()[:32]}"'  # an index made anew counts its versions from one again
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(picture, media_type=MEDIA_TYPE, headers=headers)


@writes.put("/products/{product_id:path}", responses=_WRITE)
async def put_product(
    request: Request, service: TheService, product_id: NewProductIdPath, body: ProductBody
) -> WrittenAnswer:
    """Add a product, or replace it."""
    return await _put(request, service, [NamedProductBody(product_id=product_id, **body.model_dump())])


@writes.post("/products", responses=_WRITE)
async def put_products(request: Request, service: TheService, body: ProductsBody) -> WrittenAnswer:
    """Add or replace several products in one commit."""
    counts = Counter(product.product_id for product in body.products)
    twice = [product_id for product_id, times in counts.items() if times > 1]
    if twice:
        raise ProblemError(422, "twice", "a product id comes more than once", twice)
    return await _put(request, service, body.products)


@writes.delete("/products/{product_id:path}", responses=_WRITE, status_code=204)
async def delete_product(request: Request, service: TheService, product_id: ProductIdPath) -> None:
    """Delete a product."""

    def run(engine: SearchEngine) -> None:
        _need(engine.shelf, product_id)
        engine.delete([product_id])

    await wait_for(request, service.worker.call(run))


def _is_known(request: Request, tag: str) -> bool:
    """Whether the caller has what a tag stands for; tags of ours hold no commas."""
    known = [each.strip() for each in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return "*" in known or tag in [each.removeprefix("W/") for each in known]


def _need(shelf: Shelf, product_id: str) -> None:
    if product_id not in shelf.place_of:
        raise ProblemError(404, "no-such-product", f"there is no product {product_id!r}")


async def _put(request: Request, service: Service, bodies: Sequence[NamedProductBody]) -> WrittenAnswer:
    if (count := sum(len(body.images) for body in bodies)) > _MOST_PICTURES:
        raise ProblemError(
            422, "bad-image", f"{count} pictures, more than {_MOST_PICTURES}: write fewer products at once"
        )
    sent = [Sent(f"images.{place}", image) for body in bodies for place, image in enumerate(body.images)]
    files = iter(await service.desk.files(request, sent))
    products = [_product(body, files) for body in bodies]

    def run(engine: SearchEngine) -> WrittenAnswer:
        written, faults = engine.put(products, service.desk.limits)
        messages = [f"{fault.product_id}, {fault.picture}: {fault.message}" for fault in faults]
        if not written:
            raise ProblemError(422, "bad-image", "no picture of any product can be used; nothing was written", messages)
        return WrittenAnswer(written=written, faults=messages, version=engine.shelf.version)

    return await wait_for(request, service.worker.call(run))


def _product(body: NamedProductBody, files: Iterator[bytes]) -> Product:
    pictures = [HeldPicture(f"image {place}", next(files)) for place in range(len(body.images))]
    return Product(
        product_id=body.product_id,
        group_id=body.group_id,
        text=body.text,
        category=body.category,
        subcategory=body.subcategory,
        attributes=body.attributes,
        pictures=tuple(pictures),
    )
