"""What pages and programs of one process share, made once: whoever acts, compares, and looks the parts over."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from imprimatur.attaching import UploadRules
from imprimatur.desk import Desk
from imprimatur.drafting import Cases
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.office import Office
from imprimatur.store.engine import Database
from imprimatur.store.overlaps import Overlaps
from imprimatur.web.admin.examining import Examination, examination_of
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.bulks.running import BulkRunner
from imprimatur.web.uploads import USUAL_TYPES
from models.conditions import Condition
from models.messages import DecisionReceipt
from models.vocabulary import Channel, Strength

ANY_USUAL = UploadRules(10 * 1024 * 1024, frozenset(USUAL_TYPES))


class Decider(Protocol):
    """Whoever records decisions: the gateway."""

    async def decide(
        self,
        *,
        task_id: str,
        verdict: str,
        actor: str,
        comment: str = "",
        scores: dict[str, int] | None = None,
        conditions: Sequence[Condition] = (),
        statement: str = "",
        logo: bool = False,
        teach_out_on: dt.date | None = None,
        channel: Channel = Channel.LINK,
        strength: Strength | None = None,
    ) -> DecisionReceipt: ...


@dataclass
class House:
    """Everybody acts by the ``gateway``. Without one cases can be looked at, and nothing be done about them.

    ``decider``, ``proposals`` and ``desk`` are the gateway's unless somebody else stands in its place. ``machinery`` is
    what the pages of administration have besides; ``wake_imports`` is called when an import begins.
    """

    database: Database
    links: Links
    gateway: Gateway | None = None
    decider: Decider | None = None
    proposals: Cases | None = None
    desk: Desk | None = None
    machinery: Machinery = field(default_factory=Machinery)
    uploads: UploadRules = ANY_USUAL
    wake_imports: Callable[[], object] = lambda: None
    overlaps: Overlaps = field(init=False)
    examination: Examination = field(init=False)
    office: Office | None = field(init=False, default=None)
    bulks: BulkRunner | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.overlaps = Overlaps(self.database)
        self.examination = examination_of(self.machinery)
        if self.gateway is not None:
            self.decider = self.decider or self.gateway
            self.proposals = self.proposals or self.gateway
            self.desk = self.desk or Desk(self.gateway, self.database)
            self.office = Office(self.gateway, self.database)
            self.bulks = BulkRunner(self.gateway, self.database)
