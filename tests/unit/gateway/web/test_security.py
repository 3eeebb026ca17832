"""Who may post, and what every answer carries."""

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.web.security import SecurityMiddleware, content_policy, foreign

OWN = ("https://desk.example",)


def refused(**headers: str) -> bool:
    return foreign(Headers({name.replace("_", "-"): value for name, value in headers.items()}), own_origins=OWN)


class TestForeignRequests:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_another_site_is_refused(self, site: str) -> None:
        assert refused(sec_fetch_site=site, origin="https://evil.example", host="desk.example")

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    def test_our_own_pages_and_typed_addresses_pass(self, site: str) -> None:
        assert not refused(sec_fetch_site=site)

    def test_a_browser_without_fetch_metadata_is_judged_by_its_origin(self) -> None:
        assert refused(origin="https://evil.example", host="desk.example")
        assert refused(origin="null", host="desk.example")
        assert not refused(origin="https://desk.example", host="10.0.0.5:8080")
        assert not refused(origin="http://127.0.0.1:8080", host="127.0.0.1:8080")

    def test_a_program_that_sends_neither_passes_because_it_holds_no_ambient_cookie(self) -> None:
        assert not refused(host="desk.example")

    def test_the_public_address_is_ours_even_where_the_proxy_hides_it(self) -> None:
        assert not refused(sec_fetch_site="same-site", origin="https://desk.example")


async def call(
    method: str = "GET", path: str = "/", headers: dict[str, str] | None = None, *, url: str = "http://desk.example"
) -> Response:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    def refuse(_request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 403)

    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }  # fmt: skip
    await SecurityMiddleware(app, refuse=refuse, public_url=url)(scope, receive, send)  # type: ignore[arg-type] - plain dictionaries stand for ASGI messages
    response = Response(status_code=int(str(sent[0]["status"])))
    response.raw_headers = sent[0]["headers"]  # type: ignore[assignment] - raw header pairs as they went out
    return response


class TestHeaders:
    async def test_every_answer_is_closed_to_scripts_frames_and_sniffing(self) -> None:
        headers = (await call()).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 16

    async def test_transport_security_only_where_people_come_by_https(self) -> None:
        assert "strict-transport-security" not in (await call()).headers
        assert "strict-transport-security" in (await call(url="https://desk.example")).headers

    async def test_a_foreign_post_is_refused_and_a_foreign_get_is_not(self) -> None:
        foreign_headers = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
        assert (await call("POST", headers=foreign_headers)).status_code == 403
        assert (await call("GET", headers=foreign_headers)).status_code == 200

    async def test_programs_with_their_own_proof_may_post_from_anywhere(self) -> None:
        assert (await call("POST", "/api/v1/tickets", {"sec-fetch-site": "cross-site"})).status_code == 200

    def test_the_nonce_is_in_the_policy(self) -> None:
        assert "'nonce-abc'" in content_policy("abc")
