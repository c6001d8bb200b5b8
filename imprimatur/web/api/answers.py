"""Beside the decision itself: what one has typed so far, that one knows of a task, and the receipt afterwards."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from imprimatur.errors import NotFound, Refused
from imprimatur.store.answer_drafts import draft_of, forget_draft, keep_draft
from imprimatur.store.engine import Database
from imprimatur.store.seen import mark_seen
from imprimatur.store.task_page import task_page
from imprimatur.web.api.documents import Given, Name, Text
from imprimatur.web.api.guard import Reads, Reviews
from imprimatur.web.receipts import receipt_of
from models.messages import DecisionReceipt

Typed = Annotated[
    dict[Name, Text],
    Field(
        max_length=100,
        description="By the names of the task's form: verdict, comment, statement, score.CRITERION, condition.1.text.",
    ),
]


class AnswerTyped(Given):
    """Nothing is sent by it, and nobody else sees it."""

    typed: Typed


class AnswerDraft(BaseModel):
    """``typed`` is what the task's page shows in its form."""

    typed: dict[str, str]
    kept_at: dt.datetime


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["tasks"])

    def known(task_id: str, person: str) -> AnswerDraft:
        found = draft_of(database, task_id, person)
        if found is None:
            raise NotFound("answer_draft_unknown", "Nothing is kept for this task.", "Keep something first.")
        return AnswerDraft(typed=found.typed, kept_at=found.kept_at)

    @routes.get("/tasks/{task_id}/draft", summary="What one has typed into a task's form and not sent")
    def draft(viewer: Reads, task_id: str) -> AnswerDraft:
        task_page(database, task_id, viewer.person)
        return known(task_id, viewer.person)

    @routes.put("/tasks/{task_id}/draft", summary="Keep what one would answer, to go on later")
    def keep(viewer: Reviews, task_id: str, given: AnswerTyped) -> AnswerDraft:
        """The last one counts; it goes when the task is answered."""
        task_page(database, task_id, viewer.person)
        if not keep_draft(database, task_id, viewer.person, given.typed, dt.datetime.now(dt.UTC)):
            raise Refused("answer_draft_refused", "The task waits for no answer of yours.", "See your open tasks.")
        return known(task_id, viewer.person)

    @routes.delete("/tasks/{task_id}/draft", status_code=204, summary="Forget what was kept for a task")
    def forget(viewer: Reviews, task_id: str) -> None:
        task_page(database, task_id, viewer.person)
        forget_draft(database, task_id, viewer.person)

    @routes.put("/tasks/{task_id}/seen", status_code=204, summary="Say that one knows of a task: its mail has come")
    def seen(viewer: Reviews, task_id: str) -> None:
        task_page(database, task_id, viewer.person)
        mark_seen(database, task_id, viewer.person)

    @routes.get("/tasks/{task_id}/receipt", summary="The receipt of one's decision on a task")
    def receipt(viewer: Reads, task_id: str) -> DecisionReceipt:
        return receipt_of(database, task_id, viewer.person)[0]

    return routes
