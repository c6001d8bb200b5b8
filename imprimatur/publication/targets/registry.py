"""The Credential Registry, by the publishing service of Credential Engine (the Registry Assistant API).

Records go to ``POST /credential/publishGraph``, and out by ``DELETE /credential/delete``. A record is known by its
CTID, so publishing again replaces it. The key is sent as ``Authorization: ApiToken KEY``. The service answers 200 also
when it refuses: ``Successful`` says which, ``Messages`` why.
"""

import json
from typing import Any

from imprimatur.publication.targets.http import ask
from imprimatur.publication.targets.target import Package, TargetRefused

DEFAULT_LANGUAGE = "en"
NOT_THERE = (404, 410)


class RegistryTarget:
    """``url`` is that of the publishing service, ``registry`` that under which resources are named."""

    def __init__(self, url: str, registry: str, organisation_ctid: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._registry = registry.rstrip("/")
        self._organisation = organisation_ctid
        self._headers = {
            "authorization": f"ApiToken {api_key}",
            "content-type": "application/json",
            "accept": "application/json",
        }

    async def publish(self, package: Package) -> str:
        record = package.records["ctdl"]
        content = {
            "PublishForOrganizationIdentifier": self._organisation,
            "CTID": record["ceterms:ctid"],
            "DefaultLanguage": package.language or DEFAULT_LANGUAGE,
            "HasLanguageMaps": False,
            "GraphInput": {"@context": record["@context"], "@graph": [self._resource(record)]},
        }
        found = await self._answer("POST", f"{self._url}/credential/publishGraph", content)
        if not found.get("Successful"):
            raise TargetRefused(_messages(found))
        return str(found.get("RegistryEnvelopeIdentifier") or found.get("CTID") or "taken")

    async def withdraw(self, package: Package) -> str:
        ctid = str(package.records["ctdl"]["ceterms:ctid"])
        content = {"CTID": ctid, "PublishForOrganizationIdentifier": self._organisation}
        found = await self._answer("DELETE", f"{self._url}/credential/delete", content)
        if found.get("Successful"):
            return "deleted"
        code, _ = await ask("GET", f"{self._registry}/resources/{ctid}", None, {}, also=NOT_THERE)
        if code in NOT_THERE:
            return "it was not there"
        raise TargetRefused(_messages(found))

    def _resource(self, record: dict[str, Any]) -> dict[str, Any]:
        """The registry names a resource by its CTID; our own address says that it is the same."""
        resource = {name: value for name, value in record.items() if name != "@context"}
        named = {"@id": f"{self._registry}/resources/{record['ceterms:ctid']}", "ceterms:sameAs": [record["@id"]]}
        return resource | named

    async def _answer(self, method: str, url: str, content: dict[str, Any]) -> dict[str, Any]:
        _, text = await ask(method, url, json.dumps(content, ensure_ascii=False), self._headers)
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise TargetRefused("the answer is not what the registry's publishing service gives: check the address")
        return found


def _messages(found: dict[str, Any]) -> str:
    told = found.get("Messages")
    return "; ".join(map(str, told)) if isinstance(told, list) and told else "refused without a reason"
