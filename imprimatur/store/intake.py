"""Documents that are handed in at about the same time, kept in one transaction."""

from imprimatur.store.documents import put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.together import Together
from models.proposal import Proposal


class Intake(Together[Proposal, str]):
    """Answers a document's digest, once it is kept."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, put_proposal)
