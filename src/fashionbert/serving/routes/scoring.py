"""Scoring without searching: pairs, and lists of documents in the shape that re-rankers are asked in."""

from uuid import uuid4

from fastapi import APIRouter, Request

from fashionbert.search import IndexedPicture, SearchEngine
from fashionbert.serving.bodies import (
    Document,
    RankedAnswer,
    RerankAnswer,
    RerankBody,
    ScoreAnswer,
    ScoreBody,
    ScoredPair,
)
from fashionbert.serving.intake import picture_of
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.routes.search import PROBLEMS
from fashionbert.serving.service import TheService, wait_for
from fashionbert.types import ImageInput

router = APIRouter(prefix="/v1", tags=["scoring"])


@router.post("/score", responses=PROBLEMS)
async def score(request: Request, service: TheService, body: ScoreBody) -> ScoreAnswer:
    """Give the probability that words and a picture belong together, for each pair."""
    pairs = [(pair.text, _picture(pair, f"pairs.{place}", pair.view)) for place, pair in enumerate(body.pairs)]
    found = await wait_for(request, service.worker.call(lambda engine: engine.score(pairs)))
    return ScoreAnswer(scores=found.tolist())


@router.post("/rerank", responses=PROBLEMS)
async def rerank(request: Request, service: TheService, body: RerankBody) -> RerankAnswer:
    """Order documents by how well they match a query."""
    documents = [Document(text=each) if isinstance(each, str) else each for each in body.documents]
    query = Document(text=body.query) if isinstance(body.query, str) else body.query
    by_picture = query.image is not None or query.product_id is not None
    if by_picture == (query.text is not None):
        raise ProblemError(422, "bad-query", "a query is words, or a picture")
    scores = await wait_for(request, service.worker.call(lambda engine: _scores(engine, query, documents, by_picture)))
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[: body.top_n]
    results = [
        RankedAnswer(
            index=place,
            relevance_score=scores[place],
            document=documents[place].model_dump(exclude_none=True) if body.return_documents else None,
        )
        for place in order
    ]
    return RerankAnswer(id=str(uuid4()), results=results)


def _scores(engine: SearchEngine, query: Document, documents: list[Document], by_picture: bool) -> list[float]:
    if by_picture:
        picture = _picture(query, "query")
        without = [f"documents.{place} has no text" for place, each in enumerate(documents) if each.text is None]
        if without:
            raise ProblemError(422, "bad-documents", "a picture asks for documents with text", without)
        return engine.score([(each.text or "", picture) for each in documents]).tolist()
    pairs = [(query.text or "", _picture(each, f"documents.{place}")) for place, each in enumerate(documents)]
    return engine.score(pairs).tolist()


def _picture(source: ScoredPair | Document, where: str, view: int | None = None) -> ImageInput | IndexedPicture:
    if (source.image is None) == (source.product_id is None):
        raise ProblemError(422, "bad-image", f"{where} needs a picture: image in base64, or product_id")
    if source.product_id is not None:
        return IndexedPicture(source.product_id, view)
    return picture_of(source.image or "", where)
