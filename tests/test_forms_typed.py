"""A proposal as a form holds it: nothing typed is lost, what can be used is used, and every problem has its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.frameworks.forms import (
    MOST_ROWS,
    NOT_TYPED,
    Body,
    Shape,
    Typed,
    read,
    reading,
    shape,
    stated,
    typed,
    with_row,
    without_row,
)
from imprimatur.frameworks.loader import shipped
from imprimatur.rules.completeness import missing, progress, rules_of
from imprimatur.web.proposal_form import Builder, Entry, anchor, label_of, shown_fields
from models.proposal import Proposal
from tests.facts import example
from tests.test_proposals import PROPOSALS

EXAMPLES = ("industry-credit", "industry-credit.revised", "coursework-credit", "non-credit")
WORDS = st.text("abc é字\n0123.,@:-", max_size=12)


def bodies(of: Shape) -> st.SearchStrategy[Typed]:
    """Whatever people type, everywhere."""
    if of.kind == "group":
        return st.fixed_dictionaries({}, optional={name: bodies(part) for name, part in of.parts.items()})
    if of.kind == "rows":
        assert of.entry is not None
        return st.lists(bodies(of.entry), max_size=3)
    if of.kind == "picture":
        return st.just("")
    if of.kind in ("choice", "yes_no"):
        return st.sampled_from(["", *of.choices, "other words"])
    return WORDS


BODIES = bodies(shape())


def pairs(value: Typed, at: str = "") -> list[tuple[str, str]]:
    """What a browser sends of a form that holds it."""
    if isinstance(value, dict):
        return [pair for name, part in value.items() for pair in pairs(part, f"{at}.{name}" if at else name)]
    if isinstance(value, list):
        return [pair for number, part in enumerate(value) for pair in pairs(part, f"{at}.{number}")]
    return [(at, value)]


def entries(found: list[tuple[str, str, list[Entry]]]) -> list[Entry]:
    def under(entry: Entry) -> list[Entry]:
        return [entry, *(one for part in (*entry.parts, *entry.rows) for one in under(part))]

    return [one for _, _, parts in found for entry in parts for one in under(entry)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_proposal_passes_through_its_form_unchanged(name: str) -> None:
    proposal = example(name)
    body = typed(proposal)
    again = read(pairs(body), body)
    assert reading(again).usable == proposal
    assert reading(again).wrong == ()


@given(PROPOSALS)
def test_any_proposal_passes_through_its_form_unchanged(document: Body) -> None:
    proposal = Proposal.model_validate(document)
    found = reading(typed(proposal))
    assert found.wrong == ()
    # A group or an entry without words says nothing, and the form does not hold it.
    again = reading(typed(found.usable)).usable
    assert again == found.usable
    assert stated(typed(again))[0] == stated(typed(proposal))[0]


@given(BODIES)
def test_whatever_is_typed_is_kept_and_can_be_judged(body: Body) -> None:
    again = read(pairs(body), {})
    assert stated(again)[0] == stated(body)[0]
    found = reading(body)
    for policy in shipped().values():
        lacking = {item.field for item in missing(found.usable, policy).required}
        done = progress(policy, lacking | {item.name for item in found.wrong})
        assert 0 <= done.met <= done.asked
        assert (done.percent == 100) == (done.met == done.asked)


@given(BODIES)
def test_what_is_wrong_is_told_at_a_field_of_the_form(body: Body) -> None:
    found = reading(body)
    policy = shipped()["industry-credit"]
    shown = entries(Builder(policy, found.wrong, ()).sections(body))
    assert {item.name for item in found.wrong} <= {entry.name for entry in shown}
    told = {entry.name for entry in shown if entry.wrong}
    assert told == {item.name for item in found.wrong}


@given(BODIES)
def test_nothing_is_wrong_with_what_was_found_usable(body: Body) -> None:
    found = reading(body)
    assert reading(typed(found.usable)).wrong == ()


@given(st.lists(st.tuples(st.text("abc.0123456789partners_titleskl", max_size=30), WORDS), max_size=20))
def test_names_that_no_form_has_are_not_taken(given_pairs: list[tuple[str, str]]) -> None:
    body = read(given_pairs, {})
    document, _ = stated(body)
    assert document.keys() <= shape().parts.keys()
    assert len(body["partners"]) <= MOST_ROWS


def test_rows_are_added_and_removed_where_there_are_rows_and_nowhere_else() -> None:
    body, at = with_row({}, "partners")
    assert (body, at) == ({"partners": [{}]}, "partners.0")
    body, at = with_row(body, "partners.0.signatories")
    assert (body, at) == ({"partners": [{"signatories": [{}]}]}, "partners.0.signatories.0")
    body, at = with_row(body, "assessment.types")
    assert body["assessment"] == {"types": [""]}
    assert without_row(body, "partners.0.signatories.0")["partners"] == [{"signatories": []}]
    assert without_row(body, "partners.0")["partners"] == []
    for name in ("", "title", "partners.x", "nothing", "partners.0.organisation", "partners.-1.signatories"):
        assert with_row(body, name) == (body, "")
    for name in ("partners", "partners.7", "title.0", "partners.x"):
        assert without_row(body, name) == body
    full = {"learning_outcomes": [""] * MOST_ROWS}
    assert with_row(full, "learning_outcomes") == (full, "")


def test_what_is_not_typed_is_carried_on() -> None:
    logo = "data:image/png;base64,AAAA"
    kept: Body = {"partners": [{"logo": logo}, {}], "attachments": [{"name": "a"}], "credential_kind": "non_credit"}
    body = read([("partners.0.organisation", "X"), ("partners.1.organisation", "Y")], kept)
    assert [row["logo"] for row in body["partners"]] == [logo, ""]
    assert body["attachments"] == kept["attachments"] and body["credential_kind"] == "non_credit"
    forged = read([("partners.0.logo", "javascript:x"), ("attachments.0.sha256", "0"), ("credential_kind", "x")], {})
    assert [row["logo"] for row in forged["partners"]] == [""]
    assert not NOT_TYPED & forged.keys()


def test_blank_rows_keep_their_place_and_problems_name_it() -> None:
    found = reading({"partners": [{}, {"contact_email": "x"}], "learning_outcomes": ["", "Casts a net."]})
    assert [item.name for item in found.wrong] == ["partners.1.organisation", "partners.1.contact_email"]
    assert found.usable.learning_outcomes == ("Casts a net.",)
    assert found.usable.partners == ()


# --- the words of the form --------------------------------------------------------------------------------------------


def test_the_form_shows_every_field_of_a_proposal() -> None:
    assert shown_fields() == set(Proposal.model_fields)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_field_that_a_framework_asks_about_is_named_and_found(name: str) -> None:
    policy = shipped()[name]
    found = entries(Builder(policy, (), ()).sections(typed(example("industry-credit"))))
    ids = {entry.id for entry in found} | NOT_TYPED
    for rule in rules_of(policy):
        assert label_of(rule.field)[0].isupper()
        assert anchor(rule.field) in ids
    asked = {entry.name for entry in found if entry.asked == "required"}
    top = {rule.field for rule in rules_of(policy) if rule.presence == "required"} - NOT_TYPED
    assert {field for field in top if not field.startswith("partners.")} <= asked


def test_progress_counts_each_field_once() -> None:
    policy = shipped()["industry-credit"]
    everything = {rule.field for rule in rules_of(policy) if rule.presence == "required"}
    assert progress(policy, []).percent == 100
    assert progress(policy, everything).met == 0
    assert progress(policy, ["stackability"]).asked == len(everything | {"stackability"})
