"""Every page. A page is one State and one function; ``tests/console`` compares this list with the folder."""

from onetoken_app.console.frame import Page
from onetoken_app.console.pages.customer import keys, overview, playground, quick_start, usage
from onetoken_app.console.pages.public import home, missing, models, privacy, sign_in, status, terms
from onetoken_app.console.pages.staff import channels, organizations

PAGES: tuple[Page, ...] = (
    home.PAGE,
    models.PAGE,
    status.PAGE,
    terms.PAGE,
    privacy.PAGE,
    sign_in.PAGE,
    overview.PAGE,
    quick_start.PAGE,
    playground.PAGE,
    usage.PAGE,
    keys.PAGE,
    organizations.PAGE,
    channels.PAGE,
    missing.PAGE,
)
