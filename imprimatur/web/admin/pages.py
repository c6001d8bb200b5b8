"""All pages of administration."""

from dataclasses import replace

from fastapi import APIRouter

from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.admin import frameworks, history, incidents, machine, people, targets
from imprimatur.web.admin.examining import Examination
from imprimatur.web.admin.forms import Forms
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.gate import Gate


def admin_pages(
    database: Database,
    links: Links,
    gate: Gate,
    gateway: Gateway | None,
    machinery: Machinery,
    examination: Examination,
) -> APIRouter:
    machinery = replace(machinery, running=gateway)
    routes, forms = APIRouter(), Forms(database, links, gate)
    routes.include_router(history.router(database, gate, machinery))
    routes.include_router(incidents.router(database, forms, machinery))
    routes.include_router(people.router(database, forms, machinery))
    routes.include_router(frameworks.router(database, forms, machinery))
    routes.include_router(machine.router(database, links, forms, machinery, examination))
    routes.include_router(targets.router(database, forms, machinery))
    return routes
