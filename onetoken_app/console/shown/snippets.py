"""A first call, ready to be pasted.

The key's variable does not begin with ``ONETOKEN_``: there every name is a setting, and unknown ones are refused.
"""


def curl_snippet(base_url: str, model: str) -> str:
    """Write the call for a shell."""
    return (
        f"curl {base_url}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $OTK_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"model": "{model}",\n'
        '       "messages": [{"role": "user", "content": "Hello"}]}\''
    )


def python_snippet(base_url: str, model: str) -> str:
    """Write the call for the official client."""
    return (
        "import os\n"
        "from openai import OpenAI\n\n"
        "client = OpenAI(\n"
        f'    base_url="{base_url}/v1",\n'
        '    api_key=os.environ["OTK_API_KEY"],\n'
        ")\n"
        "answer = client.chat.completions.create(\n"
        f'    model="{model}",\n'
        '    messages=[{"role": "user", "content": "Hello"}],\n'
        ")\n"
        "print(answer.choices[0].message.content)"
    )


def node_snippet(base_url: str, model: str) -> str:
    """Write the call for the official client of Node, as a module."""
    return (
        'import OpenAI from "openai";\n\n'
        "const client = new OpenAI({\n"
        f'  baseURL: "{base_url}/v1",\n'
        "  apiKey: process.env.OTK_API_KEY,\n"
        "});\n"
        "const answer = await client.chat.completions.create({\n"
        f'  model: "{model}",\n'
        '  messages: [{ role: "user", content: "Hello" }],\n'
        "});\n"
        "console.log(answer.choices[0].message.content);"
    )


def key_line(key_prefix: str) -> str:
    """Write how a shell learns the key; its secret is pasted by whoever kept it."""
    return f"export OTK_API_KEY='{key_prefix}…'"
