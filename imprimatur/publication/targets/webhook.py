"""A system that takes signed messages, after Standard Webhooks: a learning management or a student system."""

import datetime as dt
from collections.abc import Sequence

from imprimatur.publication.targets.http import ask
from imprimatur.publication.targets.target import Handed, Package
from imprimatur.webhooks.signing import Message, headers, secret
from models.vocabulary import RecordStatus

# A target's secret is derived like that of a webhook; its name keeps the two apart.
GENERATION = 1


def target_secret(secret_key: str, name: str) -> str:
    return secret(secret_key, f"target {name}", GENERATION)


class WebhookTarget:
    def __init__(self, name: str, url: str, secret_keys: Sequence[str]) -> None:
        self._url = url
        self._secrets = [target_secret(key, name) for key in secret_keys]

    async def publish(self, package: Package) -> str:
        told = "published" if package.status is RecordStatus.OFFERED else "updated"
        return await self._send(package, f"publication.{told}")

    async def withdraw(self, package: Package) -> str:
        return await self._send(package, "publication.withdrawn", also=(404, 410))

    async def hand_over(self, handed: Handed) -> str:
        now = dt.datetime.now(dt.UTC)
        return await self._post(Message(handed.key, "handover.called", now, handed.package), now)

    async def _send(self, package: Package, type_: str, also: tuple[int, ...] = ()) -> str:
        now = dt.datetime.now(dt.UTC)
        data = {
            "case_id": package.case_id,
            "version": package.version,
            "slug": package.slug,
            "title": package.title,
            "address": package.address,
            "status": str(package.status),
            "reason": package.reason,
            "replaces": package.replaces,
            "replaced_by": package.replaced_by,
            "records": package.records if type_ != "publication.withdrawn" else {},
        }
        return await self._post(Message(package.key, type_, now, data), now, also)

    async def _post(self, message: Message, now: dt.datetime, also: tuple[int, ...] = ()) -> str:
        code, _ = await ask("POST", self._url, message.body(), headers(message, self._secrets, now), also=also)
        return str(code)
