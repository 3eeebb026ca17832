"""What the Bot API answers when it refuses, in Telegram's own words."""

from typing import Any


class Refusal(Exception):
    """A call the Bot API refuses; `answer` is the JSON body, `code` the HTTP status."""

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        self.code = code
        self.description = description
        self.retry_after = retry_after
        super().__init__(f"{code} {description}")

    def answer(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


def bad_request(what: str) -> Refusal:
    return Refusal(400, f"Bad Request: {what}")


def forbidden(what: str) -> Refusal:
    return Refusal(403, f"Forbidden: {what}")


def conflict(what: str) -> Refusal:
    return Refusal(409, f"Conflict: {what}")


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized")


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def too_large() -> Refusal:
    return Refusal(413, "Request Entity Too Large")


def too_many_requests(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def server_error(description: str = "Internal Server Error", *, code: int = 500) -> Refusal:
    return Refusal(code, description)
