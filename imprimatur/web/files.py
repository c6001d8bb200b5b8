"""Files that belong to proposals: for whoever sees the case, by the sign-in or by the link to a task."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from imprimatur.mail.links import Links
from imprimatur.store.attachments import file_of, file_of_case, kept_files, unknown_file
from imprimatur.store.engine import Database
from imprimatur.store.task_page import task_page
from imprimatur.web.gate import Gate
from imprimatur.web.uploads import download
from models.proposal import Proposal

LOOKING = ["GET", "HEAD"]


def file_links(database: Database, proposal: Proposal, person: str, under: str) -> Mapping[str, str]:
    """Addresses of a proposal's files by digest, as far as ``person`` has handed in their bytes."""
    return {digest: f"{under}/files/{digest}" for digest in kept_files(database, proposal, person)}


def router(database: Database, links: Links, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/cases/{case_id}/files/{digest}", methods=LOOKING)
    def of_case(request: Request, case_id: str, digest: str) -> Response:
        file, content = file_of_case(database, gate.viewer(request).scope, case_id, digest)
        return download(content, file.name, file.media_type)

    @routes.api_route("/t/{token}/files/{digest}", methods=LOOKING)
    def of_task(token: str, digest: str) -> Response:
        claim = links.read(token)
        found = task_page(database, claim.task_id, claim.person)
        file = next((file for file in found.proposal.attachments if file.sha256 == digest), None)
        if file is None:
            raise unknown_file()
        return download(file_of(database, digest, str(found.case["proposer"])), file.name, file.media_type)

    return routes
