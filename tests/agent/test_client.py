"""The client over the real SDK, against endpoints that behave, misbehave, and differ."""

from __future__ import annotations

import threading

import pytest

from aipc.agent.client import OpenAIEndpoint, Settings, configured, prices
from aipc.agent.errors import LanguageModelError, LostReplyError, PromptTooLongError
from aipc.agent.messages import Completion, Message, ToolSpec
from aipc.core.errors import CancelledError, ConfigError

from .scripted import Fails, Says, call, served

TOOL = ToolSpec("look", "Look.", {"type": "object", "properties": {}, "required": []})
ASKED = Completion((Message("system", "be brief"), Message("user", "hello")), (TOOL,), 100)


def endpoint(url: str, pool, **settings) -> OpenAIEndpoint:
    return OpenAIEndpoint(Settings(url, "m", "secret-key", **settings), pool)


def quiet(count: int) -> None:
    return None


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_reply_comes_with_its_calls_and_counts(pool, stream):
    said = Says("thinking", (("look", {"at": "größe"}), ("look", {})), prompt=123, completion=45)
    with served(said) as (url, script):
        reply = endpoint(url, pool, stream=stream).complete(ASKED, quiet)
    assert (reply.text, reply.finish, reply.prompt, reply.completion) == ("thinking", "tool_calls", 123, 45)
    assert [(item.name, item.arguments) for item in reply.calls] == [
        ("look", '{"at": "gr\\u00f6\\u00dfe"}'),
        ("look", "{}"),
    ]
    assert script.requests[0]["max_tokens"] == 100
    assert script.keys == ["Bearer secret-key"]


def test_reasoning_is_kept_apart(pool):
    with served(Says("done", reasoning="first this, then that")) as (url, _):
        reply = endpoint(url, pool).complete(ASKED, quiet)
    assert (reply.text, reply.reasoning) == ("done", "first this, then that")


def test_what_an_endpoint_does_not_take_is_left_out_and_remembered(pool):
    def picky(request):
        if "max_tokens" in request:
            return Fails(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
        if "tools" in request:
            return Fails(400, "this model does not support tools")
        return Says("fine")

    with served(picky) as (url, script):
        asked = endpoint(url, pool)
        reply = asked.complete(ASKED, quiet)
        first = len(script.requests)
        asked.complete(ASKED, quiet)
    assert reply.text == "fine"
    assert not asked.native_tools
    assert (first, len(script.requests)) == (3, 4)
    assert '"name": "read_source"' in script.requests[-1]["messages"][0]["content"]
    assert script.requests[-1]["max_completion_tokens"] == 100


def test_rate_limits_and_failures_are_retried_by_the_sdk(pool):
    busy = Fails(429, "slow down", {"retry-after-ms": "10"})
    with served(busy, Fails(500, "oops", {"retry-after-ms": "10"}), Says("there")) as (url, script):
        assert endpoint(url, pool).complete(ASKED, quiet).text == "there"
    assert len(script.requests) == 3


def test_retries_end(pool):
    busy = Fails(429, "slow down", {"retry-after-ms": "5"})
    with served(busy) as (url, script), pytest.raises(LanguageModelError, match="rate-limited"):
        endpoint(url, pool, retries=2).complete(ASKED, quiet)
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        (Fails(401, "bad key"), LanguageModelError, "does not accept the key"),
        (Fails(404, "no such model"), LanguageModelError, "knows no model"),
        (Fails(400, "maximum context length is 10 tokens"), PromptTooLongError, "too long"),
        (Says("half a rep", breaks_off=True), LostReplyError, "ended without its end|broke off"),
    ],
    ids=["key", "model", "context", "broken off"],
)
def test_failures_are_told_in_a_sentence(pool, step, error, words):
    with served(step) as (url, _), pytest.raises(error, match=words) as caught:
        endpoint(url, pool, retries=0).complete(ASKED, quiet)
    assert "secret-key" not in f"{caught.value} {caught.value.detail}"


def test_endless_repetition_is_cut_off(pool):
    with served(Says("and again " * 4000, completion=9000)) as (url, _):
        reply = endpoint(url, pool).complete(Completion(ASKED.messages, (), 10_000), quiet)
    assert reply.finish == "repetition"
    assert len(reply.text) < 5000


def test_an_endpoint_that_ignores_the_bound_is_cut_off(pool):
    text = " ".join(map(str, range(5000)))
    with served(Says(text)) as (url, _):
        reply = endpoint(url, pool).complete(Completion(ASKED.messages, (), 20), quiet)
    assert reply.finish == "length"
    assert len(reply.text) < 2000


def test_a_refusal_is_one(pool):
    with served(Says(refusal="I cannot help with that.")) as (url, _):
        reply = endpoint(url, pool).complete(ASKED, quiet)
    assert (reply.finish, reply.text) == ("refusal", "I cannot help with that.")


def test_cancelling_ends_a_reply_in_the_middle(pool):
    cancel = threading.Event()
    with served(Says("word " * 2000, pause=0.05)) as (url, _), pytest.raises(CancelledError):
        asked = OpenAIEndpoint(Settings(url, "m"), pool, cancel)
        asked.complete(Completion(ASKED.messages, (), 10_000), lambda count: cancel.set())


def test_a_slow_endpoint_is_not_waited_for(pool):
    with served(Says("word " * 2000, pause=0.1)) as (url, _):
        reply = endpoint(url, pool).complete(Completion(ASKED.messages, (), 10_000, seconds=2), quiet)
    assert reply.finish == "length"


def test_a_call_is_found_in_the_text_of_a_model_without_tools(pool):
    with served(call("look")) as (url, script):
        endpoint(url, pool, native_tools=False).complete(ASKED, quiet)
    assert "tools" not in script.requests[0]
    assert "- look: Look." in script.requests[0]["messages"][0]["content"]


def test_a_key_is_not_sent_in_clear_text_over_the_network(pool):
    with pytest.raises(ConfigError, match="clear text"):
        OpenAIEndpoint(Settings("http://example.org/v1", "m", "key"), pool)


def test_the_endpoint_comes_from_the_environment_or_the_users_file(tmp_path):
    file = tmp_path / "agent.toml"
    said = configured({"AIPC_AGENT_MODEL": "m", "AIPC_AGENT_BASE_URL": "https://a/v1", "AIPC_AGENT_API_KEY": "k"}, file)
    assert (said.model, said.url, said.key) == ("m", "https://a/v1", "k")
    assert "k" not in repr(said).replace("key", "").replace("max_tokens", "")
    with pytest.raises(ConfigError, match="no language model"):
        configured({}, file)
    file.write_text('model = "f"\nbase_url = "https://b/v1"\nkey_variable = "MINE"\ninput_price = 1.5\n')
    said = configured({"MINE": "from there"}, file)
    assert (said.model, said.url, said.key) == ("f", "https://b/v1", "from there")
    assert prices({"AIPC_AGENT_OUTPUT_PRICE": "3"}, file) == (1.5, 3.0)
