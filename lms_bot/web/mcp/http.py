"""The tools over HTTP: each request says by its token who asks."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from fastapi.security.utils import get_authorization_scheme_param
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from lms_bot.config.settings import Settings
from lms_bot.web.callers import Caller, nobody, recognize, take_turn
from lms_bot.web.context import Context
from lms_bot.web.guard import MOST_BYTES, hosts_of
from lms_bot.web.mcp.protocol import PATH, server

_CALLER = "lms_bot.caller"  # where a request keeps who asks


class Agents:
    """The path on which agents ask; nothing is kept from one request to the next."""

    path = PATH

    def __init__(self, context: Context) -> None:
        self._context = context
        self._manager = StreamableHTTPSessionManager(
            server(context, _caller_of),
            json_response=True,
            stateless=True,
            security_settings=_security(context.settings),
            max_request_body_size=MOST_BYTES,
        )

    def living(self) -> AbstractAsyncContextManager[None]:
        """Return what must be entered before the first request and left after the last."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self  # by which requests are logged
        authorization = Headers(scope=scope).get("Authorization")
        scope[_CALLER] = await to_thread.run_sync(self._caller, authorization)
        await self._manager.handle_request(scope, receive, send)

    def _caller(self, authorization: str | None) -> Caller:
        """Return who asks. Raises Problem, and StoreUnavailable."""
        scheme, token = get_authorization_scheme_param(authorization)
        if scheme.lower() != "bearer" or not token:
            raise nobody(self._context)
        caller = recognize(self._context, token, datetime.now(UTC))
        take_turn(caller)
        return caller


def _caller_of(asked: Any) -> Caller:
    caller: Caller = asked.request.scope[_CALLER]
    return caller


def _security(settings: Settings) -> TransportSecuritySettings:
    """Return from which hosts and pages may be asked: no page of another site reaches us by a name of its own."""
    hosts = [f"[{host}]" if ":" in host else host for host in sorted(hosts_of(settings))]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(
        allowed_hosts=[*hosts, *(f"{host}:*" for host in hosts)],
        allowed_origins=[*origins, *(f"{origin}:*" for origin in origins)],
    )
