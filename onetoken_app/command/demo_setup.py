"""Puts the demo into an installation: its customer, its key, its member of staff. Safe to repeat at each start."""

from onetoken_app.command.apply import apply
from onetoken_app.command.staff import StaffRequest, add_staff
from onetoken_app.demo import organization
from onetoken_app.demo.organization import DemoSecrets
from onetoken_app.identity.models import StaffRole
from onetoken_app.settings import Settings


async def set_demo_up(settings: Settings, *, model_base_url: str) -> DemoSecrets:
    """Apply the demo to the database in use, and return what a newcomer signs in and calls with.

    Args:
        settings: Of this installation; they admit upstreams on loopback.
        model_base_url: Where the small model listens this time.
    """
    known = organization.read_or_generate(settings.data_dir)
    known = await _apply(settings, known, model_base_url)
    if not known.api_key:
        known = await _apply(settings, organization.rename_key(settings.data_dir, known), model_base_url)
    await add_staff(
        StaffRequest(
            email=organization.STAFF_EMAIL,
            role=StaffRole.ADMINISTRATOR,
            name="Demo Staff",
            password=known.staff_password,
        )
    )
    return known


async def _apply(settings: Settings, known: DemoSecrets, model_base_url: str) -> DemoSecrets:
    """Apply the demo's file once, and keep the key when one was minted."""
    applied = await apply(organization.apply_file(known, base_url=model_base_url), settings=settings)
    for key in applied.keys:
        known = organization.remember_key(settings.data_dir, known, api_key=key.secret)
    return known
