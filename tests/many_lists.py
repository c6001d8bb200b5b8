"""Every page that lists things, and many things to list; for the test of their queries and for their benchmark."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import SQLModel

from imprimatur.store.cursors import write_cursor, write_instant
from imprimatur.store.engine import Database
from tests.facts import OFFICE
from tests.many import LIKENED, PEOPLE_OF_A_ROLE

ADMIN, REVIEWER, PROPOSER = "eva.admin@example.edu", "quinn.reviewer@example.edu", "ana.proposer@example.edu"
HOUR = dt.timedelta(hours=1)
# By route: what is opened, and by whom. What stands in braces is found in the database.
LISTS: dict[str, list[tuple[str, str | None]]] = {
    "/": [("/", OFFICE), ("/", REVIEWER), ("/", PROPOSER)],
    "/account": [("/account", OFFICE)],
    "/admin": [("/admin", ADMIN)],
    "/admin/calendars": [("/admin/calendars", ADMIN)],
    "/admin/frameworks": [("/admin/frameworks", ADMIN)],
    "/admin/health": [("/admin/health", ADMIN)],
    "/admin/keys": [("/admin/keys", ADMIN), ("/admin/keys?cursor={older}", ADMIN)],
    "/bulks": [("/bulks", OFFICE)],
    "/bulks/new": [("/bulks/new?act=hold&case={live}&case={late}", OFFICE)],
    "/bulks/{bulk_id}": [("/bulks/{bulk}", OFFICE)],
    "/cases": [("/cases", OFFICE), ("/cases?q=water+methods", OFFICE), ("/cases?status=published&unit=Law", OFFICE),
               ("/cases?need=overdue", OFFICE), ("/cases?need=at_risk", OFFICE), ("/cases?need=nobody", OFFICE),
               ("/cases?need=incident", OFFICE), ("/cases", REVIEWER), ("/cases", PROPOSER)],
    "/cases/{case_id}": [("/cases/{live}", OFFICE), ("/cases/{late}", OFFICE), ("/cases/{published}", OFFICE)],
    "/cases/{case_id}/acts/{act}": [("/cases/{live}/acts/reassign", OFFICE)],
    "/cases/{case_id}/history": [("/cases/{published}/history", OFFICE)],
    "/cases/{case_id}/versions/{pair}": [("/cases/{published}/versions/1...2", OFFICE)],
    "/catalogue": [("/catalogue", None), ("/catalogue?q=analitics", None)],
    "/catalogue/{slug}": [("/catalogue/{slug}", None)],
    "/drafts": [("/drafts", OFFICE)],
    "/frameworks": [("/frameworks", OFFICE)],
    "/imports": [("/imports", OFFICE)],
    "/imports/{import_id}": [("/imports/{import}", OFFICE)],
    "/imports/{import_id}/progress": [("/imports/{import}/progress", OFFICE)],
    "/incidents": [("/incidents", OFFICE), ("/incidents?state=all", OFFICE)],
    "/incidents/{incident_id}": [("/incidents/{incident}", OFFICE)],
    "/pathways": [("/pathways", None)],
    "/people": [("/people", ADMIN), ("/people?q=rosa", ADMIN), ("/people?q=example&cursor={further}", ADMIN)],
    "/people/away": [("/people/away", ADMIN)],
    "/people/suggested": [("/people/suggested?to=example", ADMIN)],
    "/people/{email}": [(f"/people/{REVIEWER}", ADMIN)],
    "/proposals/new": [("/proposals/new", OFFICE), ("/proposals/new?q=water", OFFICE)],
    "/reviews": [("/reviews", OFFICE)],
    "/sla": [("/sla", OFFICE)],
    "/sla/{name}": [("/sla/workload", OFFICE), ("/sla/workload?page=2", OFFICE), ("/sla/ageing", OFFICE)],
    "/sla/{name}/cases": [("/sla/on-time/cases", OFFICE)],
    "/tasks": [("/tasks", REVIEWER), ("/tasks", OFFICE)],
}  # fmt: skip
# One thing each, or a file: nothing on them grows with the number of anything.
SINGLE = {
    "/.well-known/jwks.json", "/admin/frameworks/add", "/admin/frameworks/compare", "/admin/frameworks/move",
    "/admin/frameworks/try", "/admin/settings", "/admin/targets",
    "/badges/{badge_id}", "/cases/{case_id}/files/{digest}",
    "/cases/{case_id}/history.csv", "/cases/{case_id}/history.json", "/cases/{case_id}/history/{position}",
    "/cases/{case_id}/revise", "/cases/{case_id}/versions", "/catalogue/{slug}/badge.png",
    "/catalogue/{slug}/badge.svg", "/catalogue/{slug}/endorsement/{number}.jwt", "/catalogue/{slug}/status/{number}",
    "/catalogue/{slug}/{form}.json", "/drafts/{draft_id}", "/drafts/{draft_id}/files/{digest}",
    "/drafts/{draft_id}/review", "/drafts/{draft_id}/skills", "/frameworks/{framework_id}/{version}", "/healthz",
    "/imports/{import_id}/report.csv", "/keys/{kid}", "/pathways/{pathway_id}", "/people/add", "/people/import",
    "/readyz", "/robots.txt", "/sign-in", "/sign-in/{token}", "/sla/{name}.csv", "/t/{token}",
    "/t/{token}/files/{digest}", "/t/{token}/package.json", "/t/{token}/receipt", "/t/{token}/receipt.txt",
    "/verify", "/views/{view_id}",
    "/catalogue/opensearch.xml", "/first-steps", "/inbox/{name}", "/inbox/{name}/html", "/reviews/indicators",
}  # fmt: skip
# Whole, for programs: they tell everything, a part at a time; and what reads the embedded mailbox and no table.
WHOLE = {
    "/catalogue/catalogue.json", "/catalogue/catalogue.jsonl", "/catalogue/dcat.jsonld", "/catalogue/feed.atom",
    "/catalogue/sitemap.xml", "/inbox",
}  # fmt: skip


def fill_lists(database: Database, number: int, now: dt.datetime, first: int = 0) -> None:
    """So many more of everything that is no case: of the office's own things, people, and who is away."""
    rows: dict[str, list[dict[str, Any]]] = {}

    def add(table: str, **values: Any) -> None:
        rows.setdefault(table, []).append(values)

    for n in range(first, first + number):
        at = now - n * HOUR
        add("draft", draft_id=f"dr-many{n}", owner=OFFICE, framework="industry-credit@1.1", title=f"Draft {n}",
            body={"title": f"Draft {n}"}, version=0, revision=1, tab="", begun_at=at, changed_at=at)  # fmt: skip
        add("saved_view", view_id=f"v-many{n}", owner=OFFICE, name=f"View {n}", filters={"status": "in_review"},
            shared=False, units=[], saved_at=at)  # fmt: skip
        add("import", import_id=f"im-many{n}", owner=OFFICE, framework="industry-credit@1.1", file=f"many-{n}.jsonl",
            made_at=at, begun_at=at, ended_at=at, problem="")  # fmt: skip
        add("bulk", bulk_id=f"b-many{n}", operation=f"{n:064x}", act="hold", actor=OFFICE, reason="The term ends.",
            options={}, begun_at=at, ended_at=at)  # fmt: skip
        add("api_key", key_id=f"k-many{n}", name=f"Key {n}", email=OFFICE, scopes=["read"], secret_digest="0" * 64,
            made_at=at)  # fmt: skip
        add("absence", person=REVIEWER, first_on=(now + n * 24 * HOUR).date(), last_on=(now + n * 24 * HOUR).date(),
            reason="Leave")  # fmt: skip
        email = f"many.{n}@example.edu"
        add(
            "person",
            email=email,
            name=f"Person {n}",
            organisation="",
            active=True,
            roles=["quality_reviewer"],
            units=[],
        )
        add("person_role", email=email, role="quality_reviewer")
        for table, key in (("import_line", "import_id"), ("bulk_item", "bulk_id")):
            add(table, **{key: "im-many0" if key == "import_id" else "b-many0"}, number=n, **_line(table, n))
    with database.write() as connection:
        for table, values in rows.items():
            connection.execute(SQLModel.metadata.tables[table].insert(), values)


def _line(table: str, number: int) -> dict[str, Any]:
    if table == "bulk_item":
        return {"case_id": f"mc-item{number}", "subject": "", "result": "done", "code": None, "message": ""}
    return {"line": number + 1, "key": f"line {number}", "title": f"Title {number}", "record": {}, "case_id": "",
            "foreseen": "accepted", "result": "accepted", "problems": []}  # fmt: skip


def add_likenesses(database: Database) -> None:
    """The people whom the likenesses of cases name."""
    with database.write() as connection:
        for table in ("person", "person_role", "person_unit"):
            found = SQLModel.metadata.tables[table]
            known = [dict(row) for row in connection.execute(select(found)).mappings()]
            likened = [row for row in known if row["email"].removesuffix("@example.edu").endswith(LIKENED)]
            rows = [_likened(row, number) for number in range(1, PEOPLE_OF_A_ROLE) for row in likened]
            connection.execute(found.insert(), rows)


def _likened(row: dict[str, Any], number: int) -> dict[str, Any]:
    other = row | {"email": f"{number}.{row['email']}"}
    return other | {"name": f"{row['name']} {number}"} if "name" in row else other


def named(database: Database) -> dict[str, str]:
    """Of each thing that an address names, one that is there."""
    with database.read() as connection:
        return {
            "live": _case(connection, "in_review", late=False),
            "late": _case(connection, "in_review", late=True),
            "published": _case(connection, "published", late=None, versions=2),
            "slug": _one(connection, "publication", "slug"),
            "incident": _one(connection, "incident", "incident_id"),
            "draft": "dr-many0",
            "import": "im-many0",
            "bulk": "b-many0",
            "older": write_instant(dt.datetime.now(dt.UTC) - HOUR, "k-"),
            "further": write_cursor("b"),
        }


def _case(connection: Connection, status: str, late: bool | None, versions: int = 1) -> str:
    case, stage = SQLModel.metadata.tables["case_record"], SQLModel.metadata.tables["stage"]
    query = select(case.c.case_id).where(case.c.status == status, case.c.version == versions)
    if late is not None:
        breached = select(stage.c.case_id).where(stage.c.breached_at.is_not(None))
        query = query.where(case.c.case_id.in_(breached) if late else case.c.case_id.not_in(breached))
    return str(connection.execute(query.order_by(case.c.case_id).limit(1)).scalar_one())


def _one(connection: Connection, table: str, column: str) -> str:
    return str(connection.execute(select(func.min(SQLModel.metadata.tables[table].c[column]))).scalar_one())
