"""docs/pages.md against the pages: every address, act, code, role and number that it names."""

import re

from imprimatur.access import acts, published
from imprimatur.access.acts import CaseAct
from imprimatur.access.published import Denial
from imprimatur.attaching import MOST_FILES
from imprimatur.store.case_listing import PAGE_LENGTH, SOON
from imprimatur.store.drafts import MOST_DRAFTS
from imprimatur.store.import_jobs import LEASE
from imprimatur.store.sessions import IDLE, LASTS
from imprimatur.store.sign_in_links import VALID_FOR
from imprimatur.store.sign_in_record import LINKS_FOR_AN_ADDRESS, TRIES_OF_A_CLIENT, WINDOW
from imprimatur.web.drafts import PICTURE_LIMIT_BYTES
from models.vocabulary import AccessRole
from tests.markdown import DOCS, code_spans, section, text_of
from tests.test_web_pages import GUARDED, as_told

PAGES = DOCS / "pages.md"
DENIALS = [value for room in (acts, published) for value in vars(room).values() if isinstance(value, Denial)]


def _first(title: str, heading: str) -> set[str]:
    return {span for row in section(PAGES, title).rows if heading in row for span in code_spans(row[heading])}


def test_every_page_behind_the_sign_in_is_told_and_none_that_is_gone() -> None:
    # The figures are told by the name of one of them.
    guarded = {path.partition("?")[0] if path.startswith("/sla") else as_told(path) for path in GUARDED}
    assert _first("Behind the sign-in", "page") == {"/", *(path for path in guarded if "mc-" not in path)}


def test_every_act_and_every_reason_against_it_is_told() -> None:
    assert _first("Acts", "act") == set(CaseAct)
    assert _first("Acts", "code") == {denial.code for denial in DENIALS}


def test_every_role_is_told() -> None:
    told = {code_spans(row["role"])[0] for row in section(PAGES, "Roles").rows}
    assert told == set(AccessRole)


def test_the_numbers_are_those_of_the_code() -> None:
    text = " ".join(re.sub(r"\s+", " ", text_of(PAGES)).split())
    minutes, window = (int(span.total_seconds() / 60) for span in (VALID_FOR, WINDOW))
    for told in (
        f"good for {minutes} minutes",
        f"at most {LINKS_FOR_AN_ADDRESS} links in {window} minutes",
        f"try {TRIES_OF_A_CLIENT} times in {window} minutes",
        f"ends after {int(LASTS.total_seconds() / 3600)} hours, and when {int(IDLE.total_seconds() / 3600)} hours pass",
        f"{PAGE_LENGTH} a page",
    ):
        assert told in text, told
    for told in (
        f"at most {MOST_DRAFTS} drafts",
        f"at most {MOST_FILES} files",
        f"{LEASE.seconds} seconds after",
        f"at most {PICTURE_LIMIT_BYTES // 1000} kB",
    ):
        assert told in text, told
    assert SOON.days == 2 and "due within two days" in text
