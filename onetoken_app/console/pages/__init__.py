"""Every page. A page is one State and one function; ``tests/console`` compares this list with the folder."""

from onetoken_app.console.frame import Page
from onetoken_app.console.pages.customer import (
    agreements,
    keys,
    members,
    overview,
    playground,
    quick_start,
    top_up,
    usage,
    verification,
)
from onetoken_app.console.pages.public import (
    home,
    invitation,
    missing,
    models,
    password_forgotten,
    password_reset,
    privacy,
    sign_in,
    sign_up,
    sign_up_continue,
    status,
    terms,
)
from onetoken_app.console.pages.staff import channels, organizations, reviews, top_ups

PAGES: tuple[Page, ...] = (
    home.PAGE,
    models.PAGE,
    status.PAGE,
    terms.PAGE,
    privacy.PAGE,
    sign_in.PAGE,
    sign_up.PAGE,
    sign_up_continue.PAGE,
    password_forgotten.PAGE,
    password_reset.PAGE,
    invitation.PAGE,
    overview.PAGE,
    quick_start.PAGE,
    playground.PAGE,
    usage.PAGE,
    keys.PAGE,
    top_up.PAGE,
    verification.PAGE,
    members.PAGE,
    agreements.PAGE,
    reviews.PAGE,
    top_ups.PAGE,
    organizations.PAGE,
    channels.PAGE,
    missing.PAGE,
)
