"""Searching: cards, what is left to choose from, and why a card was found."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Query, Request

from fashionbert.search import Answer
from fashionbert.search import Query as SearchQuery
from fashionbert.search.filters import LONGEST_FILTER
from fashionbert.search.pictures import SeenPicture
from fashionbert.serving.bodies import (
    ExplainAnswer,
    ExplainBody,
    FacetAnswer,
    FacetsAnswer,
    FacetsBody,
    FacetValue,
    HitAnswer,
    ProblemAnswer,
    SearchAnswer,
    SearchBody,
    WordAnswer,
)
from fashionbert.serving.desk import Sent
from fashionbert.serving.door import FormRoute, QueuedRoute
from fashionbert.serving.intake import read_body
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.service import Service, TheService, thumbnail_url
from fashionbert.serving.waiting import wait_for

router = APIRouter(prefix="/v1", tags=["search"], route_class=QueuedRoute)
forms = APIRouter(prefix="/v1", tags=["search"], route_class=FormRoute)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemAnswer, "description": words}
    for status, words in {
        400: "The body breaks off, or is no form.",
        408: "Nothing of the body has come for half a minute.",
        413: "The body is too large.",
        415: "The body is of another type.",
        422: "The request cannot be answered as it is.",
        503: "Too many requests wait, or the index cannot be read; come again after Retry-After seconds.",
    }.items()
}
_BODIES = {
    "requestBody": {
        "content": {
            "application/json": {"schema": SearchBody.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "query": {"type": "string", "description": "The JSON body, without image."},
                        "image": {"type": "string", "format": "binary"},
                    },
                }
            },
        }
    }
}


@forms.post("/search", responses=PROBLEMS, openapi_extra=_BODIES)
async def search(request: Request, service: TheService) -> SearchAnswer:
    """Find products by words, a picture, or both."""
    body, files = await read_body(request, SearchBody, "query", "image")
    if len(files) > 1 or (files and body.image is not None):
        raise ProblemError(422, "bad-image", "a search takes one picture")
    sent = [Sent("image", each) for each in (body.image, *files) if each is not None]
    async with service.desk.seen(request, sent) as pictures:
        found = service.worker.search(_query(body, next(iter(pictures), None), service))
        return _answer(await wait_for(request, found))


@router.get("/facets", responses=PROBLEMS)
async def facets_by_filter(
    request: Request, service: TheService, condition: str = Query("", alias="filter", max_length=LONGEST_FILTER)
) -> FacetsAnswer:
    """Count cards by the values of each attribute."""
    return await _facets(request, service, FacetsBody(filter=condition))


@router.post("/facets", responses=PROBLEMS)
async def facets(request: Request, service: TheService, body: FacetsBody) -> FacetsAnswer:
    """Count cards by the values of each attribute, each under what was ticked of the others."""
    return await _facets(request, service, body)


@router.post("/explain", responses=PROBLEMS)
async def explain(request: Request, service: TheService, body: ExplainBody) -> ExplainAnswer:
    """Say what each word of a query does to a match, and which patches of the picture it looks at."""
    found = await wait_for(
        request, service.worker.call(lambda engine: engine.explain(body.text, body.product_id, body.view))
    )
    words = [
        WordAnswer(
            text=word.text,
            start=word.start,
            end=word.end,
            matched=word.matched,
            gain=word.gain,
            patches=[list(row) for row in word.patches],
        )
        for word in found.words
    ]
    return ExplainAnswer(words=words, frame=found.frame, probability=found.probability)


def _query(body: SearchBody, picture: SeenPicture | None, service: Service) -> SearchQuery:
    return SearchQuery(
        text=body.text,
        image=picture,
        unwanted=tuple(body.unwanted),
        more_like=tuple(body.more_like),
        less_like=tuple(body.less_like),
        hidden=tuple(body.hidden),
        filter=body.filter,
        ticked=body.facets,
        top=body.top,
        rerank=_cards_to_rerank(body, service),
        words=body.words,
    )


def _cards_to_rerank(body: SearchBody, service: Service) -> int:
    if body.rerank is not None:
        return body.rerank
    if body.budget_ms is not None:
        return service.costs.cards(body.budget_ms, most=max(service.cards, body.top))
    return service.cards


def _answer(answer: Answer) -> SearchAnswer:
    hits = [
        HitAnswer(
            **{name: value for name, value in asdict(hit).items() if name != "picture"},
            thumbnail=thumbnail_url(hit.product_id, hit.view),
        )
        for hit in answer.hits
    ]
    return SearchAnswer(
        hits=hits,
        matches=answer.matches,
        reranked=answer.reranked,
        nothing_matches=answer.nothing_matches,
        calibrated=answer.calibrated,
        version=answer.version,
        milliseconds=dict(answer.milliseconds),
    )


async def _facets(request: Request, service: Service, body: FacetsBody) -> FacetsAnswer:
    query = SearchQuery(filter=body.filter, ticked=body.facets, top=1)
    found, matches = await wait_for(
        request, service.worker.call(lambda engine: (engine.facets(query), engine.search(query).matches))
    )
    facets = [
        FacetAnswer(
            name=facet.name,
            values=[FacetValue(value=value, cards=cards) for value, cards in facet.values],
            low=facet.low,
            high=facet.high,
        )
        for facet in found
    ]
    return FacetsAnswer(facets=facets, matches=matches)
