"""The MCP server, over stdio for a local archive and over streamable HTTP beside the page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, InputRequiredResult, ListToolsResult, TextContent
from pydantic import ValidationError

from rag.version import version
from ui.api.problems import ProblemError
from ui.mcp.arguments import explain_arguments
from ui.mcp.errors import tool_error
from ui.mcp.resources import add_resources, list_newest
from ui.mcp.runner import ToolRunner
from ui.mcp.tools import add_tools
from ui.mcp.values import UNTRUSTED
from ui.mcp.write_tools import NewArticle, add_write_tools, hidden_tools

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ui.api.services import Services
    from ui.api.work import WorkScheduler
    from ui.readers import Reader

PATHS = ("/mcp", "/mcp/")
LARGEST_BODY = 12_000_000  # bytes: fifty articles of the greatest length
INSTRUCTIONS = f"""\
A news archive. ask_archive answers a question with quotations; search_archive finds passages, \
read_article gives whole articles, timeline the course of a story, check_claim what the archive \
says about a sentence. Say only what these return, and cite publisher and date. If they return \
nothing, say that the archive has nothing.

{UNTRUSTED}"""


def create_server(
    services: Services, *, reader: Reader | None = None, work: WorkScheduler | None = None
) -> MCPServer:
    """Return the server.

    Args:
        services: What the tools work with.
        reader: The reader of every call, for stdio; None to trust `scope["state"]["reader"]`.
        work: Turns and rates of the server; None for none.
    """
    runner = ToolRunner(services, reader=reader, work=work)
    server = _Server(
        "backfile",
        title="Backfile news archive",
        instructions=INSTRUCTIONS,
        version=version(),
        log_level="WARNING",
        subscriptions=False,
        middleware=[_PerReader(runner)],
    )
    add_tools(server, runner)
    add_write_tools(server, runner)
    add_resources(server, runner)
    return server


class _Server(MCPServer):
    """MCP server that explains wrong arguments in sentences."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; see the SDK."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            tools = await self.list_tools()
            taken = next(list(one.input_schema["properties"]) for one in tools if one.name == name)
            wrong = error.__cause__.errors(include_url=False, include_input=False)
            said = explain_arguments(wrong, arguments, taken, list(NewArticle.model_fields))
            raise tool_error("invalid_value", said) from error


class _PerReader:
    """Middleware that lists only what a reader may use, and keeps the texts of errors stable.

    Args:
        runner: Finds a request's reader.
    """

    def __init__(self, runner: ToolRunner) -> None:
        self._desk = runner

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        reader = self._desk.reader_of(ctx.request)
        if ctx.method == "resources/list" and reader is not None and reader.may("read"):
            await call_next(ctx)  # the SDK validates the request
            return await list_newest(self._desk, ctx.request)
        name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
        if name in hidden_tools(reader):
            return _unknown(str(name))
        result = await call_next(ctx)
        if ctx.method == "tools/list":
            return _shown(result, reader)
        return _with_code(result, str(name)) if name is not None else result


def _shown(result: HandlerResult, reader: Reader | None) -> HandlerResult:
    hidden = hidden_tools(reader)
    if isinstance(result, ListToolsResult):
        kept = [tool for tool in result.tools if tool.name not in hidden]
        return result.model_copy(update={"tools": kept})
    if isinstance(result, dict):
        kept = [tool for tool in result.get("tools", ()) if tool["name"] not in hidden]
        return {**result, "tools": kept}
    return result


_PREFIX = re.compile(r"^Error executing tool [\w-]{1,80}: ")
_KNOWN = ("not_", "invalid_value:", "scope_", "rate_", "archive_", "unavailable:")


def _with_code(result: HandlerResult, name: str) -> HandlerResult:
    """Return a call's result, whose error begins with a code even if the SDK raised it."""
    if isinstance(result, dict) and result.get("isError"):
        text = str(result["content"][0].get("text", ""))
        return {**result, "content": [{"type": "text", "text": _coded(text, name)}]}
    if isinstance(result, CallToolResult) and result.is_error:
        first = result.content[0]
        return _failed(_coded(first.text if isinstance(first, TextContent) else "", name))
    return result


def _coded(text: str, name: str) -> str:
    text = _PREFIX.sub("", text)
    if text.startswith(_KNOWN):
        return text
    if text.startswith("Unknown tool"):
        return f"not_found: There is no tool {name!r}."
    return "unavailable: The tool failed. Try again later."


def _unknown(name: str) -> CallToolResult:
    return _failed(_coded("Unknown tool", name))


def _failed(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


class McpApp:
    """ASGI application behind `/mcp`; enter `running` in the host's lifespan.

    Sessions of the older protocol would live in one process: each request stands alone.

    Args:
        server: The server.
    """

    def __init__(self, server: MCPServer) -> None:
        server.streamable_http_app(
            stateless_http=True,
            json_response=True,
            max_request_body_size=LARGEST_BODY,
            # the guard in front has checked host and origin
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._manager = server.session_manager

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve requests until the context ends."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["path"] not in PATHS:
            problem = ProblemError(404, "not-found", "There is nothing here. MCP is at /mcp.")
            await problem.response()(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)
