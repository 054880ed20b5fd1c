"""Every page. A page is one State and one function; ``tests/console`` compares this list with the folder."""

from onetoken_app.console.frame import Page
from onetoken_app.console.pages.customer import keys, overview, usage
from onetoken_app.console.pages.public import missing, sign_in
from onetoken_app.console.pages.staff import channels, organizations

PAGES: tuple[Page, ...] = (
    sign_in.PAGE,
    overview.PAGE,
    usage.PAGE,
    keys.PAGE,
    organizations.PAGE,
    channels.PAGE,
    missing.PAGE,
)
