"""A Venice for one machine: it refuses what the real one refuses, sets its headers, and fails on demand."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from eth_account import Account
from eth_account.messages import encode_defunct

KEY = "vnc-canary-given-0123456789abcdef"
MINT_KEY = "0x" + "5e" * 32
CHEAP = "deepseek-v4-flash"
SECOND = "qwen3-235b-a22b-instruct-2507"

_CHAT_FIELDS = {
    *("model", "messages", "response_format", "temperature"),
    *("max_completion_tokens", "stream", "venice_parameters", "seed"),
}
_VENICE_FIELDS = {"include_venice_system_prompt", "strip_thinking_response", "disable_thinking", "enable_web_search"}
_MINT_FIELDS = {
    *("apiKeyType", "address", "signature", "token", "description"),
    *("expiresAt", "consumptionLimit", "limitPeriod", "modelPrivacy"),
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def model(name: str, *, schema: bool = True, price: float = 1.0, **spec: Any) -> dict[str, Any]:
    """An entry of the list of models."""
    pricing = {"input": {"usd": price / 4, "diem": price / 4}, "output": {"usd": price, "diem": price}}
    spec = {"capabilities": {"supportsResponseSchema": schema}, "privacy": "private", "pricing": pricing} | spec
    return {"id": name, "object": "model", "owned_by": "venice.ai", "type": "text", "model_spec": spec}


@dataclass
class Act:
    """What to do with one request instead of answering it well. `body` replaces everything the server would say."""

    status: int = 200
    content: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False
    drip: bool = False
    cut: bool = False
    abort: bool = False
    completion: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"{self.status} {self.body or dict(self.headers) or self.completion or ''!r}"[:60]


class FakeVenice:
    """`acts` are used up one per chat request, `mint_acts` one per request for a key; then it behaves."""

    def __init__(self) -> None:
        self.url = ""
        self.acts: deque[Act] = deque()
        self.answer_after_s = 0.0
        self.mint_acts: deque[Act] = deque()
        self.models_act: Act | None = None
        self.keys = {KEY}
        self.models = [model(SECOND), model("dear", price=9), model(CHEAP), model("plain", schema=False)]
        self.chats: list[dict[str, Any]] = []
        self.asked_models: list[str] = []
        self.lists = self.mints = self.open = self.most_open = 0
        self.minted: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.released = asyncio.Event()
        self.arrived = asyncio.Condition()

    async def until_open(self, number: int) -> None:
        """Waits until so many chat requests are here at once."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.open >= number)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._headers])
        app.router.add_get("/api/v1/models", self._models)
        app.router.add_post("/api/v1/chat/completions", self._chat)
        app.router.add_get("/api/v1/api_keys/generate_web3_key", self._token)
        app.router.add_post("/api/v1/api_keys/generate_web3_key", self._mint)
        return app

    @web.middleware
    async def _headers(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.headers.get("Accept-Encoding") != "identity":
            return refusal(400, "this server would compress")
        return await handler(request)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        self.lists += 1
        if request.query.get("type") != "text":
            return refusal(400, "Invalid request parameters")
        if self.models_act is not None:
            return await self._perform(request, self.models_act, {})
        return web.json_response({"object": "list", "type": "text", "data": self.models})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        async with self.arrived:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.arrived.notify_all()
        try:
            return await self._answer(request)
        finally:
            self.open -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.keys:
            return refusal(401, "Authentication failed")
        body = await request.json()
        self.chats.append(body)
        self.asked_models.append(body.get("model", ""))
        if problem := chat_problem(body):
            return refusal(400, f"Invalid request parameters: {problem}")
        act = self.acts.popleft() if self.acts else Act()
        known = {each["id"]: each for each in self.models}
        if body["model"] not in known:
            return refusal(404, "Specified model not found", code="MODEL_NOT_FOUND")
        if not known[body["model"]]["model_spec"]["capabilities"]["supportsResponseSchema"]:
            return refusal(400, "response_format is not supported by this model")
        content = act.content if act.content is not None else good_content(body)
        return await self._perform(request, act, completion(body["model"], content) | dict(act.completion or {}))

    async def _perform(self, request: web.Request, act: Act, payload: Mapping[str, Any]) -> web.StreamResponse:
        if act.hold:
            await self.released.wait()
        await asyncio.sleep(self.answer_after_s)
        if act.abort:
            assert request.transport is not None
            request.transport.abort()
        body = act.body if act.body is not None else json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "CF-RAY": "canary-ray",
            "x-ratelimit-limit-requests": "75",
            "x-ratelimit-remaining-requests": "74",
            "x-venice-balance-diem": "0.98765",
            "x-venice-balance-usd": "12.5",
        } | dict(act.headers)
        if not (act.drip or act.cut):
            return web.Response(status=act.status, body=body, headers=headers)
        response = web.StreamResponse(status=act.status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        if act.cut:
            await response.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.close()
            return response
        for at in range(len(body)):  # always something, never enough
            await response.write(body[at : at + 1])
            with suppress(TimeoutError):
                await asyncio.wait_for(self.released.wait(), 0.02)
        return response

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.mints += 1
        if self.mint_acts:
            return await self._perform(request, self.mint_acts.popleft(), {})
        part = base64.urlsafe_b64encode(f'{{"n":{len(self.tokens)},"canary":"jwt"}}'.encode()).decode().rstrip("=")
        token = f"eyJhbGciOiJIUzI1NiJ9.{part}.c2lnbmF0dXJlLWNhbmFyeQ"
        self.tokens.append(token)
        return web.json_response({"success": True, "data": {"token": token}})

    async def _mint(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if self.mint_acts:
            return await self._perform(request, self.mint_acts.popleft(), {})
        if problem := mint_problem(body, self.tokens):
            return refusal(400, problem)
        self.tokens.remove(body["token"])
        key = f"vnc-canary-minted-{len(self.minted)}-0123456789"
        self.minted.append(body)
        self.keys.add(key)
        data = {"apiKey": key, "apiKeyType": "INFERENCE", "consumptionLimit": body.get("consumptionLimit")}
        return web.json_response({"success": True, "data": data | {"expiresAt": None}})


def refusal(status: int, text: str, code: str = "") -> web.Response:
    """An error in one of the server's two shapes."""
    error: object = {"message": text, "type": "invalid_request_error", "param": None, "code": code} if code else text
    return web.json_response({"error": error}, status=status)


def good_content(body: Mapping[str, Any]) -> str:
    """An answer to the request, in its own words."""
    told = json.loads(body["messages"][1]["content"])
    answer = {"request_id": told["request_id"], "allow": True, "market": "ETH", "side": "long", "leverage": 5}
    return json.dumps(answer | {"reason": "momentum beats the costs"})


def completion(name: str, content: object, finish: str = "stop") -> dict[str, Any]:
    """A chat completion with one choice."""
    message = {"role": "assistant", "content": content, "reasoning_content": None}
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
    usage = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": name, "choices": [choice], "usage": usage}


def chat_problem(body: Mapping[str, Any]) -> str:
    """What the real server would refuse in a request."""
    if unknown := body.keys() - _CHAT_FIELDS:
        return f"unknown {min(unknown)}"
    parameters = body.get("venice_parameters", {})
    if unknown := parameters.keys() - _VENICE_FIELDS:
        return f"unknown venice_parameters.{min(unknown)}"
    if parameters.get("enable_web_search", "off") not in ("off", "on", "auto"):
        return "enable_web_search"
    if not 0 <= body.get("temperature", 0) <= 2 or not 0 < body.get("max_completion_tokens", 1) <= 4096:
        return "temperature or max_completion_tokens"
    if [message.get("role") for message in body["messages"]] != ["system", "user"]:
        return "messages"
    shape = body["response_format"]
    if shape["type"] != "json_schema" or shape["json_schema"]["strict"] is not True:
        return "response_format"
    return schema_problem(shape["json_schema"]["schema"])


def schema_problem(schema: Mapping[str, Any]) -> str:
    """What strict mode would refuse in a schema."""
    properties = schema.get("properties", {})
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        return "additionalProperties must be false"
    if set(schema.get("required", ())) != set(properties):
        return "every property must be required"
    if any("enum" in each and not each["enum"] for each in properties.values()):
        return "an enum must not be empty"
    return ""


def mint_problem(body: Mapping[str, Any], tokens: list[str]) -> str:
    """What the real server would refuse in a request for a key; the signature is really recovered."""
    if unknown := body.keys() - _MINT_FIELDS:
        return f"Unrecognized key: {min(unknown)}"
    if missing := {"apiKeyType", "address", "signature", "token"} - body.keys():
        return f"Required: {min(missing)}"
    if body["apiKeyType"] not in ("INFERENCE", "ADMIN") or body.get("limitPeriod") not in ("EPOCH", None):
        return "Invalid enum value"
    if any(not isinstance(value, int | float) for value in body.get("consumptionLimit", {}).values()):
        return "consumptionLimit: expected numbers"
    if body["token"] not in tokens:
        return "Token expired"
    signer = Account.recover_message(encode_defunct(text=body["token"]), signature=body["signature"])
    return "" if signer == body["address"] else "Signature mismatch"


@asynccontextmanager
async def serving() -> AsyncIterator[FakeVenice]:
    """A server that listens on loopback until left."""
    server = FakeVenice()
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1"
    try:
        yield server
    finally:
        server.released.set()
        await runner.cleanup()
