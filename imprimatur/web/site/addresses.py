"""Where things lie in the exported site: every address of the app as a file, and how one file leads to another."""

from collections.abc import Callable
from urllib.parse import quote

from imprimatur.publication.catalogue.choice import Choice


def file_of(address: str) -> str:
    """Of a path of the app: a page is the index of a folder of its own, so that hosts serve it at that very path."""
    path = address.strip("/")
    last = path.rsplit("/", 1)[-1]
    if not path:
        return "index.html"
    return path if "." in last else f"{path}/index.html"


def relative_from(file: str) -> Callable[[str], str]:
    """Leads from a file to the address of the app that is given: without a server too."""
    up = "../" * file.count("/")

    def link(address: str) -> str:
        path, hash_, fragment = address.partition("#")
        return f"{up}{quote(file_of(path))}{hash_}{fragment}"

    return link


def address_of(choice: Choice) -> str:
    """Of a list that has a file: all, or those with one value, page by page. Empty for any other."""
    if choice.query or len(choice.chosen) > 1:
        return ""
    [folder] = [f"/catalogue/by/{facet}/{key}" for facet, key in choice.chosen.items()] or ["/catalogue"]
    return folder if choice.page == 1 else f"{folder}/page-{choice.page}.html"
