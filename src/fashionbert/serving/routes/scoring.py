"""Scoring without searching: pairs, and lists of documents in the shape that re-rankers are asked in."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from fastapi import APIRouter, Request

from fashionbert.search import IndexedPicture
from fashionbert.search.pictures import AnyPicture
from fashionbert.serving.bodies import (
    Document,
    RankedAnswer,
    RerankAnswer,
    RerankBody,
    ScoreAnswer,
    ScoreBody,
    ScoredPair,
)
from fashionbert.serving.desk import Sent
from fashionbert.serving.door import QueuedRoute
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.routes.search import PROBLEMS
from fashionbert.serving.service import Service, TheService
from fashionbert.serving.waiting import wait_for

router = APIRouter(prefix="/v1", tags=["scoring"], route_class=QueuedRoute)


@router.post("/score", responses=PROBLEMS)
async def score(request: Request, service: TheService, body: ScoreBody) -> ScoreAnswer:
    """Give the probability that words and a picture belong together, for each pair."""
    sources = {f"pairs.{place}": pair for place, pair in enumerate(body.pairs)}
    texts = [pair.text for pair in body.pairs]
    return ScoreAnswer(scores=await _scores(request, service, texts, sources))


@router.post("/rerank", responses=PROBLEMS)
async def rerank(request: Request, service: TheService, body: RerankBody) -> RerankAnswer:
    """Order documents by how well they match a query."""
    documents = [Document.model_validate({"text": each}) if isinstance(each, str) else each for each in body.documents]
    query = Document.model_validate({"text": body.query}) if isinstance(body.query, str) else body.query
    by_picture = query.image is not None or query.product_id is not None
    if by_picture == (query.text is not None):
        raise ProblemError(422, "bad-query", "a query is words, or a picture")
    if by_picture:
        without = [f"documents.{place} has no text" for place, each in enumerate(documents) if each.text is None]
        if without:
            raise ProblemError(422, "bad-documents", "a picture asks for documents with text", without)
        scores = await _scores(request, service, [each.text or "" for each in documents], {"query": query})
    else:
        sources = {f"documents.{place}": each for place, each in enumerate(documents)}
        scores = await _scores(request, service, [query.text or ""] * len(documents), sources)
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[: body.top_n]
    results = [
        RankedAnswer(
            index=place,
            relevance_score=scores[place],
            document=documents[place].model_dump(exclude_unset=True) if body.return_documents else None,
        )
        for place in order
    ]
    return RerankAnswer(id=str(uuid4()), results=results)


async def _scores(
    request: Request, service: Service, texts: Sequence[str], sources: Mapping[str, ScoredPair | Document]
) -> list[float]:
    """Score texts against the pictures of sources, or all against that of one; sources by what messages call them."""
    faults = [
        f"{where} needs a picture: image in base64, or product_id, one of the two"
        for where, source in sources.items()
        if (source.image is None) == (source.product_id is None)
    ]
    if faults:
        raise ProblemError(422, "bad-image", "it is not said which pictures are meant", faults)
    sent = [Sent(where, source.image) for where, source in sources.items() if source.image is not None]
    async with service.desk.seen(request, sent) as seen:
        came = iter(seen)
        pictures: list[AnyPicture] = [
            next(came) if source.product_id is None else IndexedPicture(source.product_id, source.view)
            for source in sources.values()
        ]
        pictures = pictures * len(texts) if len(pictures) == 1 else pictures
        found = await wait_for(request, service.worker.score(list(zip(texts, pictures, strict=True))))
    return found.tolist()
