"""What is added to Reflex's build: our fonts, an address that fits any port, the content security policy.

Reflex bakes the address of its socket into the bundle. Here it is replaced by the address that the page itself came
from, so that one build serves every host and port. The policy admits exactly the inline scripts of the built pages,
by hash; it is written beside the bundle and read by ``security_headers``.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import reflex as rx

FONT_PACKAGES = (
    "@fontsource-variable/ibm-plex-sans@5.3.0",
    "@fontsource/ibm-plex-mono@5.3.0",
    "@fontsource-variable/noto-sans-sc@5.3.1",
)
_FONT_STYLESHEETS = (
    "@fontsource-variable/ibm-plex-sans/index.css",
    "@fontsource/ibm-plex-mono/400.css",
    "@fontsource/ibm-plex-mono/500.css",
    "@fontsource-variable/noto-sans-sc/index.css",
)
_INLINE_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)
_BUILT_ADDRESS = re.compile(r"[`\"'](?P<scheme>ws|http)://localhost:\d+(?P<path>/[\w-]*)[`\"']")
POLICY_FILE = "onetoken-csp.json"


class ConsoleBundle(rx.plugins.Plugin):
    """Reflex's hook into its own build."""

    def get_frontend_dependencies(self, **_context: Any) -> list[str]:
        """Name the font packages."""
        return list(FONT_PACKAGES)

    def get_stylesheet_paths(self, **_context: Any) -> list[str]:
        """Name the font stylesheets; the bundler ships the files they point to."""
        return list(_FONT_STYLESHEETS)

    def post_build(self, **context: Any) -> None:
        """Change the built files before they are compressed."""
        static_dir = Path(context["static_dir"])
        replaced_count = sum(_use_own_address(path) for path in (static_dir / "assets").glob("*.js"))
        if replaced_count == 0:
            message = "the address of the socket was not found in the bundle; Reflex builds differently now"
            raise RuntimeError(message)
        hashes = sorted({found for page in static_dir.rglob("*.html") for found in inline_script_hashes(page)})
        (static_dir.parent / POLICY_FILE).write_text(json.dumps({"script_hashes": hashes}))


def inline_script_hashes(page: Path) -> list[str]:
    """Hash the scripts that stand in a built page, in the form of a policy's source."""
    scripts = [
        match["code"] for match in _INLINE_SCRIPT.finditer(page.read_text()) if "src=" not in match["attributes"]
    ]
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]


def _use_own_address(path: Path) -> int:
    """Replace built-in addresses by ones relative to the page's origin; return how many there were."""
    code, count = _BUILT_ADDRESS.subn(_own_address, path.read_text())
    if count:
        path.write_text(code)
    return count


def _own_address(match: re.Match[str]) -> str:
    """Write one address as an expression."""
    origin = "location.origin" if match["scheme"] == "http" else 'location.origin.replace("http","ws")'
    return f'({origin}+"{match["path"]}")'
