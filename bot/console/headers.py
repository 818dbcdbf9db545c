"""Security headers of every answer: no foreign sources, no caching, no script.

Only pages that use a passkey may run a script, our own.
"""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.telemetry import logs

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
NO_DEVICES = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
_PASSKEYS = "publickey-credentials-get={0}, publickey-credentials-create={0}"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": f"{NO_DEVICES}, {_PASSKEYS.format('()')}",
}
KEEP_NOTHING = "no-store"
TRANSPORT = "max-age=63072000"


def let_script(response: Response) -> None:
    """Let this page run our own script and ask the browser for a passkey."""
    response.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    allowed = _PASSKEYS.format("(self)")
    response.headers["Permissions-Policy"] = f"{NO_DEVICES}, {allowed}"


class SecurityHeaders:
    """Puts the headers on whatever the app inside answers; ``tls`` adds HSTS."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self.app = app
        self.headers = dict(HEADERS)
        if tls:
            self.headers["Strict-Transport-Security"] = TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; what no page caught is an answer without details."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", KEEP_NOTHING)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except HTTPException as error:
            await _plain(error.status_code)(scope, receive, with_headers)
        except Exception as error:
            if begun:
                raise
            logs.failure("console.failed", error)
            await _plain(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, with_headers)


def _plain(status: int) -> Response:
    """Answer what no page of ours answers: a method or a file that is not there."""
    return PlainTextResponse(f"{status}\n", status)
