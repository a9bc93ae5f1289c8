"""What the editor's commands take and answer where it is no dataclass of the engine's.

``extension/src/protocol.ts`` is generated from these and from the dataclasses (``scripts/generate_protocol.py``).
Names with capitals inside are the wire's. A dataclass in a field stands for its plain form
(:mod:`aipc.core.plain_data`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

    from aipc.agent.messages import Message, ToolCall, ToolSpec
    from aipc.agent.verdicts import AgentReport, Budget
    from aipc.core.types import Range
    from aipc.targets.base import Description


class ErrorDetails(TypedDict):
    """One error. ``soc``: the chip to compile for, where that is the way out.

    ``proposals``: argument -> dtype and shape that the code suggests, where no example inputs were found.
    """

    kind: str
    message: str
    remedy: str
    range: Range | None
    soc: NotRequired[str]
    proposals: NotRequired[dict[str, str]]


class Deployment(TypedDict):
    """What deploys the model of a package again."""

    model: str
    uri: str
    precision: str


class ServerError(TypedDict):
    """The answer of a command that failed."""

    error: ErrorDetails
    again: NotRequired[Deployment]


class EditorModel(TypedDict):
    """A model in the source, as a code lens names it."""

    model: str
    title: str
    uri: str
    line: int
    """1-based."""
    hasInputs: bool
    arguments: list[str]
    precision: NotRequired[str]
    """What the configuration says; empty when it says nothing."""
    calibration: NotRequired[str]
    needs: NotRequired[list[str]]
    """Arguments that its constructor needs, where it cannot be built by its name."""
    nodes: NotRequired[list[str]]
    """To go to in the graph."""


class Soc(TypedDict):
    """A chip that can be chosen."""

    part: str
    title: str
    arch: int
    fp16: Literal["yes", "partial", "no"]


class Targets(TypedDict):
    """What can be deployed to."""

    targets: list[Description]
    socs: list[Soc]


class RunAdded(TypedDict):
    """``root``: the directory that holds ``.aipc``."""

    root: str


class ExaminedAdded(TypedDict):
    """``rows``: name and value of what the device says of itself."""

    rows: list[tuple[str, str]]


class EffectiveAdded(TypedDict):
    """Of the chip in effect."""

    title: str
    fp16: Literal["yes", "partial", "no"]


class PackageFile(TypedDict):
    """A file of a package, relative to its directory."""

    name: str
    bytes: int


class PackageManifest(TypedDict):
    """What the extension reads of ``manifest.json``."""

    model: str
    soc: str
    precision: str
    qairt: NotRequired[str]


class PackageInfo(TypedDict):
    """A package of the workspace."""

    directory: str
    manifest: PackageManifest
    files: list[PackageFile]


class OverlayFigures(TypedDict, total=False):
    """A node's figures: only those that were measured, decibels within 200."""

    sqnr_db: float
    introduced_db: float
    effect_db: float
    share: float
    latency_us: float


class OverlayNode(OverlayFigures):
    """What is shown on a node."""

    placement: str
    reason: NotRequired[str]


class OverlayFinding(TypedDict):
    """A finding in the graph's list."""

    id: str
    rule: str
    severity: str
    message: str
    nodes: list[str]


class Overlay(TypedDict):
    """What is shown on the graph of a model."""

    model: str
    soc: str
    stale: bool
    nodes: dict[str, OverlayNode]
    findings: list[OverlayFinding]


class GraphAnswer(TypedDict):
    """The outline of a model's graph: a file, and what is shown on it."""

    path: str
    nodes: int
    overlay: Overlay


class Percentiles(TypedDict, total=False):
    """Of a model on the device's CPU."""

    p50_ms: float


class Latency(TypedDict, total=False):
    """What the extension reads of a latency."""

    p50_ms: float
    cpu: Percentiles


class AgentGoal(TypedDict):
    """What the agent is to reach: one finding, or a step of deployment. ``line`` is 1-based."""

    kind: Literal["finding", "deploy", "export", "inputs"]
    rule: NotRequired[str]
    line: NotRequired[int]
    nodes: NotRequired[list[str]]


class EditorEndpoint(TypedDict):
    """A language model of the editor's."""

    kind: Literal["editor"]
    title: str
    nativeTools: bool


class ServerEndpoint(TypedDict):
    """A server with the OpenAI interface."""

    kind: Literal["openai"]
    baseUrl: str
    model: str
    key: str


AgentEndpoint = EditorEndpoint | ServerEndpoint


class AgentStart(TypedDict):
    """Starts a run of the agent. What ``budget`` leaves out has the default."""

    id: str
    model: str
    uri: str
    goal: AgentGoal
    budget: Budget
    endpoint: AgentEndpoint
    workDoneToken: str


class AgentAnswer(TypedDict):
    """``edit``: a WorkspaceEdit of the protocol, each change annotated so that it needs confirmation."""

    report: AgentReport
    edit: Any


class RunId(TypedDict):
    """``id``: the run of the agent that this belongs to."""

    id: str


class LlmRequest(TypedDict):
    """A completion that the server asks the editor's language model for."""

    id: str
    messages: list[Message]
    tools: list[ToolSpec]
    maxTokens: int


class LlmReply(TypedDict):
    """A language model's reply. ``prompt`` and ``completion`` count tokens."""

    text: str
    calls: list[ToolCall]
    finish: Literal["stop", "length", "refusal"]
    prompt: int | None
    completion: int | None
    model: str


class LlmError(TypedDict):
    """Why there is no reply."""

    kind: Literal["no-model", "denied", "quota", "failed"]
    message: str


class LlmFailure(TypedDict):
    """The answer without a reply."""

    error: LlmError


LlmAnswer = LlmReply | LlmFailure
