"""Parsed documents by digest: a digest never changes its meaning, so nothing remembered grows stale."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Document = TypeVar("Document")


class Memory(Generic[Document]):
    """The documents used last, shared by all threads of the process."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, digest: str) -> Document | None:
        with self._turn:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
            return found

    def put(self, digest: str, document: Document) -> Document:
        with self._turn:
            self._kept[digest] = document
            self._kept.move_to_end(digest)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return document
