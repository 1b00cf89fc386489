"""Works: what holds titles and what is told of all of them, people, and the lists of genres and
themes. Each title that there is becomes a work, a movie until somebody says otherwise."""

from alembic import op

revision = "catalog_0006"
down_revision = "catalog_0005"

_GENRES = {
    "action": ("Action", "Action", "Action", "Acción"),
    "adventure": ("Adventure", "Abenteuer", "Aventure", "Aventura"),
    "animation": ("Animation", "Animation", "Animation", "Animación"),
    "biography": ("Biography", "Biografie", "Biographie", "Biografía"),
    "children": ("Children", "Kinder", "Jeunesse", "Infantil"),
    "comedy": ("Comedy", "Komödie", "Comédie", "Comedia"),
    "crime": ("Crime", "Krimi", "Policier", "Policíaco"),
    "documentary": ("Documentary", "Dokumentarfilm", "Documentaire", "Documental"),
    "drama": ("Drama", "Drama", "Drame", "Drama"),
    "family": ("Family", "Familie", "Famille", "Familiar"),
    "fantasy": ("Fantasy", "Fantasy", "Fantastique", "Fantasía"),
    "history": ("History", "Geschichte", "Histoire", "Historia"),
    "horror": ("Horror", "Horror", "Horreur", "Terror"),
    "music": ("Music", "Musik", "Musique", "Música"),
    "mystery": ("Mystery", "Mystery", "Mystère", "Misterio"),
    "romance": ("Romance", "Liebesfilm", "Romance", "Romance"),
    "science-fiction": ("Science fiction", "Science-Fiction", "Science-fiction", "Ciencia ficción"),
    "short": ("Short film", "Kurzfilm", "Court métrage", "Cortometraje"),
    "sport": ("Sport", "Sport", "Sport", "Deporte"),
    "thriller": ("Thriller", "Thriller", "Thriller", "Suspense"),
    "war": ("War", "Kriegsfilm", "Guerre", "Bélico"),
    "western": ("Western", "Western", "Western", "Wéstern"),
}


def upgrade() -> None:
    op.execute(
        """
        create table catalog.work (
          work_id text primary key,
          kind text not null,
          parent_id text references catalog.work,
          number integer,
          details jsonb not null,
          created_at timestamptz not null,
          revision integer not null default 1,
          change text not null default 'created',
          changed_at timestamptz not null,
          told_at timestamptz
        );
        create unique index on catalog.work (parent_id, kind, number) where number is not null;
        create index on catalog.work (parent_id);
        create index on catalog.work (created_at, work_id);
        create table catalog.work_before (
          work_id text not null,
          revision integer not null,
          body jsonb not null,
          primary key (work_id, revision)
        );
        create table catalog.person (
          person_id text primary key,
          names jsonb not null,
          ids jsonb not null,
          named text not null
        );
        create table catalog.term (
          term_id text primary key,
          vocabulary text not null,
          names jsonb not null
        );
        create table catalog.work_person (
          person_id text not null references catalog.person,
          work_id text not null references catalog.work on delete cascade,
          primary key (person_id, work_id)
        );
        create index on catalog.work_person (work_id);
        create table catalog.work_term (
          term_id text not null references catalog.term,
          work_id text not null references catalog.work on delete cascade,
          primary key (term_id, work_id)
        );
        create index on catalog.work_term (work_id);
        create table catalog.other_id (
          scope text not null,
          scheme text not null,
          value text not null,
          owner_id text not null,
          primary key (scope, scheme, value)
        );
        create index on catalog.other_id (owner_id);
        alter table catalog.browse add column described_at timestamptz;
        insert into catalog.work (work_id, kind, details, created_at, changed_at)
          select title_id, 'movie', jsonb_build_object('texts', jsonb_build_array(
            jsonb_build_object('language', 'und', 'name', name, 'synopsis', synopsis))),
            created_at, created_at from catalog.title;
        """
    )
    for term_id, names in _GENRES.items():
        told = ", ".join(
            f"""jsonb_build_object('language', '{tag}', 'name', '{name}')"""
            for tag, name in zip(("en", "de", "fr", "es"), names, strict=True)
        )
        op.execute(
            "insert into catalog.term (term_id, vocabulary, names) "
            f"values ('{term_id}', 'genre', jsonb_build_array({told}))"
        )
