"""The catalogue's rules: what is found, how it is narrowed and counted, and that all of it stands in the address."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.publication.catalogue.choice import FACETS, SORTS, Choice
from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.entry import Entry, Mark, entry_of, language_name, price_words, shortened
from imprimatur.publication.catalogue.words import key_of, words
from imprimatur.publication.page import CataloguePage
from models.proposal import Proposal
from tests.credentials import page_of
from tests.facts import START, example

VOCABULARY = ("data", "design", "water", "analytics", "harbour")
KEYS = {facet: [f"{facet}-{number}" for number in range(3)] for facet in ("field", "mode", "price", "partner")}


def listed(change: Proposal) -> Entry:
    return entry_of("a-slug", CataloguePage.model_validate(page_of(change)), change.model_dump(mode="json"), {})


def entry(number: int = 0, *, marks: tuple[Mark, ...] = (), found_by: Mapping[str, int] | None = None) -> Entry:
    return Entry(
        slug=f"entry-{number}",
        case_id=f"mc-{number}",
        title=f"Title {number % 7}",
        summary="",
        provider="Example",
        standing="",
        told=(),
        hours=None if number % 5 == 0 else float(number % 11),
        price=None if number % 4 == 0 else Decimal(number % 9),
        currency="EUR",
        published_at=START + dt.timedelta(hours=number % 13),
        marks=marks,
        words=found_by or {},
    )


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    entries = []
    for number in range(draw(st.integers(0, 30))):
        chosen = [(facet, key) for facet, keys in KEYS.items() for key in keys if draw(st.booleans())]
        found_by = {word: 2 for word in VOCABULARY if draw(st.booleans())}
        marks = tuple(Mark(facet, key, key.title()) for facet, key in chosen)
        entries.append(entry(number, marks=marks, found_by=found_by))
    return Collection(entries)


CHOICES = st.builds(
    Choice,
    query=st.sampled_from(["", *VOCABULARY, "data design", "analitics", "nothing"]),
    chosen=st.fixed_dictionaries({}, optional={facet: st.sampled_from(keys) for facet, keys in KEYS.items()}),
    sort=st.sampled_from(["", *SORTS]),
    page=st.integers(1, 5),
)


def slugs(collection: Collection, choice: Choice) -> set[str]:
    return {found.slug for found in collection.matching(choice)}


@given(collections(), CHOICES)
def test_a_count_is_how_many_there_are_once_the_value_is_chosen(collection: Collection, choice: Choice) -> None:
    for facet in collection.find(choice).facets:
        for value in facet.values:
            assert collection.find(choice.with_value(facet.name, value.key)).total == value.count
            assert value.chosen == (choice.chosen.get(facet.name) == value.key)


@given(collections(), CHOICES)
def test_what_is_chosen_together_is_what_each_leaves(collection: Collection, choice: Choice) -> None:
    each = [slugs(collection, Choice(chosen={facet: key})) for facet, key in choice.chosen.items()]
    each.append(slugs(collection, Choice(query=choice.query)))
    assert slugs(collection, choice) == set.intersection(*each)
    assert collection.find(choice).total == len(slugs(collection, choice))


@given(collections(), CHOICES, st.integers(1, 7))
def test_pages_hold_everything_once(collection: Collection, choice: Choice, length: int) -> None:
    first = collection.find(choice.on_page(1), length)
    told = [
        item.slug
        for page in range(1, first.pages + 1)
        for item in collection.find(choice.on_page(page), length).entries
    ]
    assert len(told) == len(set(told)) == first.total
    assert set(told) == slugs(collection, choice)
    assert collection.find(choice.on_page(10**6), length).page == first.pages


@given(CHOICES)
def test_a_choice_stands_whole_in_its_address(choice: Choice) -> None:
    address = choice.address("/catalogue")
    assert Choice.of(dict(parse_qsl(urlsplit(address).query))) == choice


@given(st.dictionaries(st.sampled_from(["q", "sort", "page", *FACETS]), st.text(max_size=300)))
def test_any_address_is_a_choice(asked: dict[str, str]) -> None:
    found = Collection([entry(number) for number in range(3)]).find(Choice.of(asked))
    assert 0 <= found.total <= 3


@given(collections(), CHOICES)
def test_each_order_is_kept(collection: Collection, choice: Choice) -> None:
    by_title = [item.title for item in collection.find(choice.sorted_by("title"), 99).entries]
    assert by_title == sorted(by_title)
    newest = [item.published_at for item in collection.find(Choice(sort="newest"), 99).entries]
    assert newest == sorted(newest, reverse=True)
    hours = [item.hours for item in collection.find(choice.sorted_by("workload"), 99).entries]
    assert hours == sorted(hours, key=lambda value: (value is None, value or 0))
    prices = [item.price for item in collection.find(choice.sorted_by("price"), 99).entries]
    assert prices == sorted(prices, key=lambda value: (value is None, value or 0))


@given(collections(), CHOICES, st.lists(st.sampled_from(["title", "workload", "price"]), max_size=3))
def test_equals_stand_newest_first_whatever_was_asked_for_before(
    collection: Collection, choice: Choice, before: list[str]
) -> None:
    for sort in before:
        collection.find(choice.sorted_by(sort))
    by_title = collection.find(choice.sorted_by("title"), 99).entries
    assert list(by_title) == sorted(collection.matching(choice), key=lambda item: item.title)
    by_hours = collection.find(choice.sorted_by("workload"), 99).entries
    assert list(by_hours) == sorted(collection.matching(choice), key=lambda item: (item.hours is None, item.hours or 0))


FOUND_BY = {
    "title": "prototyping",
    "the beginning of a word": "prototyp",
    "capitals": "PROTOTYPING",
    "a letter too few": "protoyping",
    "a letter too many": "protottyping",
    "two letters swapped": "prototypign",
    "an outcome": "interviews",
    "a partner": "harbour",
    "a skill": "storytelling",
    "several words in any order": "prototyping product",
    "little words": "the prototyping of a product",
    "a field without its accents": "etude",
}  # fmt: skip


@pytest.mark.parametrize("query", FOUND_BY.values(), ids=FOUND_BY.keys())
def test_it_is_found(query: str) -> None:
    change = {"skills": [{"framework": "ESCO", "title": "Storytelling"}], "field_of_study": "Étude"}
    base = example("industry-credit.revised").model_dump(mode="json")
    base["learning_outcomes"] = ["Lead interviews."]
    base["partners"] = [{"organisation": "Harbour Software"}]
    collection = Collection([listed(Proposal.model_validate(base | change))])
    assert collection.find(Choice(query=query)).total == 1


@pytest.mark.parametrize("query", ["pro-totally-different", "xyz", "prototyping astronomy", "prxtxtxping"])
def test_it_is_not_found(query: str) -> None:
    assert Collection([listed(example("industry-credit.revised"))]).find(Choice(query=query)).total == 0


def test_a_word_that_was_mistyped_is_told() -> None:
    collection = Collection([entry(1, found_by={"analytics": 2}), entry(2, found_by={"analysis": 2})])
    assert collection.find(Choice(query="analitics")).instead == {"analitics": ("analytics",)}
    # Nothing is guessed where the word as it stands finds something.
    assert collection.find(Choice(query="analysis")).instead == {}


def test_the_best_match_comes_first() -> None:
    collection = Collection(
        [entry(3, found_by={"data": 2}), entry(1, found_by={"data": 12}), entry(2, found_by={"database": 12})]
    )
    assert [item.slug for item in collection.find(Choice(query="data")).entries] == ["entry-1", "entry-2", "entry-3"]


def test_scripts_without_spaces_are_searched_by_character() -> None:
    assert words("研究倫理 in practice") == ["研", "究", "倫", "理", "in", "practice"]


def test_spellings_of_one_value_are_one_value() -> None:
    marks = [
        Mark("field", key_of(label), label)
        for label in ("Data Science", "data science", "Data  science", "Data Science")
    ]
    [facet] = Collection([*(entry(n, marks=(mark,)) for n, mark in enumerate(marks)), entry(9)]).find(Choice()).facets
    assert [(value.label, value.count) for value in facet.values] == [("Data Science", 4)]


@pytest.mark.parametrize(("label", "key"), [
    ("C", "c"), ("C++", "c-plus-plus"), ("C#", "c-sharp"), ("Économie / Gestion", "economie-gestion"), ("研究", "研究"),
    ("!", "other"),
])  # fmt: skip
def test_keys_can_stand_in_an_address_and_a_file_name(label: str, key: str) -> None:
    assert key_of(label) == key
    assert len(key_of(label * 500)) < 80


BANDS = [
    ({"workload": {"hours": 25}}, "workload", "Up to 25 hours"),
    ({"workload": {"hours": 25.5}}, "workload", "25 to 75 hours"),
    ({"workload": {"hours": 301}}, "workload", "Over 300 hours"),
    ({"price": {"amount": "0", "currency": "EUR"}}, "price", "Free of charge"),
    ({"price": {"amount": "200", "currency": "EUR"}}, "price", "Up to 200 EUR"),
    ({"price": {"amount": "200.01", "currency": "NZD"}}, "price", "200 to 500 NZD"),
    ({"price": {"amount": "9000", "currency": "NZD"}}, "price", "Over 2,000 NZD"),
    ({"stackability": {"stackable": False}}, "stacking", "Stands alone"),
    ({"mode": "onsite"}, "mode", "On site"),
    ({"language": "de-AT"}, "language", "German (Austria)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "facet", "label"), BANDS, ids=[label for _, _, label in BANDS])
def test_a_value_stands_under_its_heading(change: dict[str, object], facet: str, label: str) -> None:
    base = example("industry-credit.revised").model_dump(mode="json")
    found = listed(Proposal.model_validate(base | change))
    assert [mark.label for mark in found.marks if mark.facet == facet] == [label]


def test_bands_follow_on_each_other() -> None:
    base = example("industry-credit.revised").model_dump(mode="json")
    prices = ("2600", "0", "90", "480", "1450")
    entries = [listed(Proposal.model_validate(base | {"price": {"amount": p, "currency": "EUR"}})) for p in prices]
    facets = {facet.name: facet for facet in Collection(entries).find(Choice()).facets}
    assert [value.label for value in facets["price"].values] == [
        "Free of charge", "Up to 200 EUR", "200 to 500 EUR", "1,000 to 2,000 EUR", "Over 2,000 EUR",
    ]  # fmt: skip


def test_texts_for_people() -> None:
    assert price_words("1450.00 NZD") == "1,450 NZD" and price_words("9.50 EUR") == "9.50 EUR"
    assert price_words("0.00 EUR") == "Free of charge"
    assert language_name("mi") == "Māori" and language_name("qqx") == "qqx"
    assert shortened("word " * 100).endswith("word …") and len(shortened("x" * 500)) < 230
