"""What of a catalog is told in schema.org, on a whole control plane."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.gateway.households import Town, opened_town

pytestmark = pytest.mark.asyncio(loop_scope="module")
EIDR = "10.5240/7791-8534-2C23-9030-8610-5"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("told") / "data"
    async with opened_town(folder, module_database_url) as town:
        yield town


async def test_what_operators_know_of_a_film_is_told_in_the_readers_language(town: Town) -> None:
    film = town.film.title_id
    names = [{"language": "de", "name": "Anna Müller"}, {"language": "en", "name": "Anna Muller"}]
    person = (await town.must("POST", "/people", {"names": names})).json()
    genre = [{"language": "de", "name": "Märchen"}, {"language": "en", "name": "Fairy tale"}]
    await town.must("PUT", "/terms/fairy-tale", {"vocabulary": "genre", "names": genre})
    work = (await town.must("GET", f"/works/{film}/details")).json()
    details = {
        "texts": [
            {"language": "de", "name": "Der Film </script>", "synopsis": "Es war einmal."},
            {"language": "en", "name": "The Film", "synopsis": "Once upon a time."},
        ],
        "original_language": "de",
        "year": 2026,
        "countries": ["DE"],
        "genres": ["fairy-tale"],
        "credits": [{"person_id": person["person_id"], "role": "director"}],
        "ratings": [{"scheme": "FSK", "rating": "6"}],
        "ids": [{"scheme": "eidr", "value": EIDR}],
    }
    body = {"revision": work["revision"], "details": details}
    await town.must("PUT", f"/works/{film}/details", body)

    async def told(language: str) -> dict[str, object]:
        path = f"/api/v1/works/{film}/schema.jsonld?language={language}"
        answer = await town.ask("GET", path, token=town.anna.token)
        assert answer.status == 200
        assert b"</script" not in answer.body
        found: dict[str, object] = json.loads(answer.body)
        return found

    german, english = await told("de-AT"), await told("en")
    assert (german["@context"], german["@type"]) == ("https://schema.org", "Movie")
    assert (german["name"], english["name"]) == ("Der Film </script>", "The Film")
    assert (german["description"], english["genre"]) == ("Es war einmal.", ["Fairy tale"])
    assert german["director"] == [{"@type": "Person", "name": "Anna Müller"}]
    assert english["sameAs"] == [f"https://doi.org/{EIDR}"]
    assert (english["datePublished"], english["inLanguage"]) == ("2026", "de")
    assert str(german["url"]).endswith(f"/title/{film}")
