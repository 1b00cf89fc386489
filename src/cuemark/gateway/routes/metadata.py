"""People, genres and themes, and metadata in and out as a whole."""

from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from cuemark.contracts.catalog.exchange import (
    Exported,
    ExportMetadata,
    Imported,
    ImportMetadata,
)
from cuemark.contracts.catalog.metadata import (
    ListPeople,
    ListTerms,
    Person,
    PersonPage,
    PutPerson,
    RemovePerson,
    RemoveTerm,
    Term,
    TermList,
)
from cuemark.contracts.ids import PersonId, TermId
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, Limit
from cuemark.gateway.work_views import MetadataBody, PersonBody, TermBody

IMPORT_BYTES = 16 << 20
PartOfName = Annotated[str, QueryParameter(max_length=200, pattern=r"^[^\x00]*\Z")]
_PERSON = f"{API}/people/{{person_id:str}}"
_TERM = f"{API}/terms/{{term_id:str}}"


@get(f"{API}/people", opt={"access": "operator", "staff": "catalog.read"}, tags=["works"])
async def list_people(
    parts: Parts, named: PartOfName = "", after: Cursor = "", limit: Limit = 50
) -> PersonPage:
    return await parts.catalog.list_people(ListPeople(named=named, after=after, limit=limit))


@post(f"{API}/people", opt={"access": "operator", "staff": "catalog.write"}, tags=["works"])
async def create_person(data: JSONBody[PersonBody], parts: Parts) -> Person:
    return await parts.catalog.put_person(PutPerson(names=data.names, ids=data.ids))


@put(_PERSON, opt={"access": "operator", "staff": "catalog.write"}, tags=["works"])
async def put_person(person_id: FromPath[str], data: JSONBody[PersonBody], parts: Parts) -> Person:
    return await parts.catalog.put_person(
        PutPerson(person_id=PersonId(person_id), names=data.names, ids=data.ids)
    )


@delete(
    _PERSON, status_code=200, opt={"access": "operator", "staff": "catalog.write"}, tags=["works"]
)
async def remove_person(person_id: FromPath[str], parts: Parts) -> Person:
    return await parts.catalog.remove_person(RemovePerson(person_id=PersonId(person_id)))


@get(f"{API}/terms", opt={"access": "operator", "staff": "catalog.read"}, tags=["works"])
async def list_terms(parts: Parts) -> TermList:
    return await parts.catalog.list_terms(ListTerms())


@put(_TERM, opt={"access": "operator", "staff": "catalog.write"}, tags=["works"])
async def put_term(term_id: FromPath[str], data: JSONBody[TermBody], parts: Parts) -> Term:
    return await parts.catalog.put_term(
        Term(term_id=TermId(term_id), vocabulary=data.vocabulary, names=data.names)
    )


@delete(
    _TERM, status_code=200, opt={"access": "operator", "staff": "catalog.write"}, tags=["works"]
)
async def remove_term(term_id: FromPath[str], parts: Parts) -> Term:
    return await parts.catalog.remove_term(RemoveTerm(term_id=TermId(term_id)))


@get(f"{API}/metadata", opt={"access": "operator", "staff": "catalog.read"}, tags=["works"])
async def export_metadata(parts: Parts, after: Cursor = "", limit: Limit = 50) -> Exported:
    return await parts.catalog.export_metadata(ExportMetadata(after=after, limit=limit))


@post(
    f"{API}/metadata",
    status_code=200,
    opt={"access": "operator", "staff": "catalog.write"},
    tags=["works"],
    request_max_body_size=IMPORT_BYTES,
)
async def import_metadata(data: JSONBody[MetadataBody], parts: Parts) -> Imported:
    """All of it, or nothing where the answer has faults."""
    return await parts.catalog.import_metadata(
        ImportMetadata(people=data.people, terms=data.terms, works=data.works, dry_run=data.dry_run)
    )
