"""How vendors that speak Chat Completions differ from OpenAI: one preset each, each difference with where it was seen.

A vendor's own documentation and public issue threads are the sources; ``owner/name#number`` is a thread at GitHub. What
no source was found for is not here: such a vendor is spoken to as OpenAI is.
"""

from dataclasses import dataclass
from enum import StrEnum


class LimitMember(StrEnum):
    """What a vendor calls the most that it may answer."""

    EITHER = ""
    """As the caller called it."""
    MAX_TOKENS = "max_tokens"
    """The older name alone."""
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    """The newer name alone, or the only one that bounds the reasoning too."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One vendor's differences."""

    base_url: str = ""
    """Where its API is; empty: wherever the operator runs it."""
    limit: LimitMember = LimitMember.EITHER
    takes_stream_options: bool = True
    """Whether it knows the member; one that does not states its usage unasked."""
    takes_store: bool = True
    """Whether it knows the member; one that does not stores nothing by it."""
    takes_empty_tools: bool = True
    """Whether ``tools`` may be an empty list."""
    cached_member: str = ""
    """Where usage says at its top how much of the input came from a cache; beside the usual place, not instead."""
    states_usage_in_choices: bool = False
    """Whether streams may state usage within a choice."""
    counts_reasoning_apart: bool = False
    """Whether ``completion_tokens`` leaves the reasoning out."""
    failures: frozenset[str] = frozenset()
    """Reasons of the end that mean that it broke."""
    states_failure_in_body: bool = False
    """Whether an answer with status 200 may be a failure, said in ``base_resp``."""


OPENAI = Preset(base_url="https://api.openai.com/v1")

PRESETS: dict[str, Preset] = {
    "openai": OPENAI,
    # max_completion_tokens is ignored without a word (earendil-works/pi#8018); cache hits stand at the top of usage,
    # and an answer that its machines could not finish ends with a reason of its own (api-docs.deepseek.com).
    "deepseek": Preset(
        base_url="https://api.deepseek.com/v1",
        limit=LimitMember.MAX_TOKENS,
        cached_member="prompt_cache_hit_tokens",
        failures=frozenset({"insufficient_system_resource"}),
    ),
    # The address and usage on the last chunk when asked: docs.qwencloud.com, streaming. Empty tools are refused
    # (earendil-works/pi#4926).
    "dashscope": Preset(base_url="https://dashscope.aliyuncs.com/compatible-mode/v1", takes_empty_tools=False),
    # Answers with 200 may end with network_error (promptfoo/promptfoo#9905); "sensitive" is read as a refusal by all.
    "zhipu": Preset(base_url="https://open.bigmodel.cn/api/paas/v4", failures=frozenset({"network_error"})),
    # Streams state usage within the choice (earendil-works/pi#2017); cached tokens come in both spellings
    # (Bike4Mind/bike4mind#1089).
    "moonshot": Preset(
        base_url="https://api.moonshot.cn/v1", states_usage_in_choices=True, cached_member="cached_tokens"
    ),
    # max_tokens bounds the answer without its reasoning, and only one of both may be sent (volcengine.com, Ark,
    # chat completions; the same for its Responses: yulab-smu.top/aisdk, create_volcengine).
    "volcengine": Preset(base_url="https://ark.cn-beijing.volces.com/api/v3", limit=LimitMember.MAX_COMPLETION_TOKENS),
    # A failure may come with status 200 (edenai/edenai-apis#360). Chunks carry usage of zeros without prompt_tokens
    # (MiniMax-AI/MiniMax-M2.5#2), which says nothing and is passed over for every vendor.
    "minimax": Preset(base_url="https://api.minimaxi.com/v1", states_failure_in_body=True),
    # cloud.tencent.com, document 1729/111007.
    "hunyuan": Preset(base_url="https://api.hunyuan.cloud.tencent.com/v1"),
    # ArtisanCloud/PowerX#349. It wants the system's message first (langchain4j/langchain4j-community#80).
    "qianfan": Preset(base_url="https://qianfan.baidubce.com/v2"),
    # Says how much was cached only when started with --enable-prompt-tokens-details (vllm-project/vllm#18149).
    "vllm": Preset(),
    # Knows max_completion_tokens since February 2026 (ggml-org/llama.cpp#19831).
    "llamacpp": Preset(limit=LimitMember.MAX_TOKENS),
    # Documents max_tokens alone (docs.ollama.com, OpenAI compatibility). An empty finish_reason on every chunk
    # (ollama/ollama#4357) is no end for any vendor.
    "ollama": Preset(limit=LimitMember.MAX_TOKENS),
    # Unknown members are errors: max_completion_tokens (editor-code-assistant/eca#231), store
    # (Gitlawb/openclaude#739), stream_options (avante-corp/avante.nvim#2347), empty tools (partITech/php-mistral#76).
    # Usage comes unasked (dnakov/anon-kode#53); content may be a list with what was thought (symfony/ai#2422).
    "mistral": Preset(
        base_url="https://api.mistral.ai/v1",
        limit=LimitMember.MAX_TOKENS,
        takes_stream_options=False,
        takes_store=False,
        takes_empty_tools=False,
    ),
    # docs.x.ai, consumption: reasoning is counted beside completion_tokens (vercel/ai#12425).
    "xai": Preset(base_url="https://api.x.ai/v1", counts_reasoning_apart=True),
    # Comments keep its streams alive (openai/openai-go#227); a failure within a stream is a chunk with an error
    # (damianvtran/local-operator#223), as with OpenAI.
    "openrouter": Preset(base_url="https://openrouter.ai/api/v1", failures=frozenset({"error"})),
}
"""By the name that a channel carries as its provider."""
