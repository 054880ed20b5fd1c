"""Serves the exact files of agreements to anybody: what a SHA-256 in an acceptance can be compared with."""

from http import HTTPStatus

from onetoken_app.agreements.documents import Document, documents
from onetoken_app.console.http_exchange import Receive, Scope, Send

PREFIX = "/texts/"


class PublishedTexts:
    """One permanent address a text: ``/texts/<kind>.<version>.<locale>.md``."""

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith(PREFIX)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer with a file, or with nothing."""
        found = {address_of(document): document for document in documents()}.get(scope["path"])
        is_read = scope["method"] in {"GET", "HEAD"}
        status = HTTPStatus.OK if found and is_read else HTTPStatus.NOT_FOUND
        body = found.text.encode() if found and is_read else b""
        headers = [
            (b"content-type", b"text/markdown; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-cache"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
        ]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def address_of(document: Document) -> str:
    """Return where a text is, for ever."""
    return f"{PREFIX}{document.kind.value}.{document.version}.{document.locale}.md"
