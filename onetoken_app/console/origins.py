"""The addresses that browsers reach the console by: who may open its socket and post to its routes."""

from onetoken_app.settings import Settings


def allowed_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins whose pages may act for a signed-in person.

    Without a public address, each name of this machine's loopback counts: a browser treats ``localhost`` and
    ``127.0.0.1`` as different origins, a person does not.
    """
    if settings.public_url:
        scheme, _, rest = settings.public_url.partition("://")
        return (f"{scheme}://{rest.partition('/')[0]}".lower(),)
    names = ["localhost", "127.0.0.1", "[::1]"]
    if settings.host not in {"0.0.0.0", "::", *names}:  # noqa: S104 # compared, not bound
        names.append(settings.host)
    return tuple(f"http://{name}:{settings.port}" for name in names)


def is_https(settings: Settings) -> bool:
    """Whether browsers reach the console over TLS, so that its cookie may demand it."""
    return settings.console_url.startswith("https://")
