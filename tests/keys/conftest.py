"""Fixtures: an organization that owns the keys, on each engine."""

import pytest

from onetoken_app.database import Database, current_database, unit_of_work
from tests.support.builders import an_organization


@pytest.fixture
async def organization_id(database: Database) -> str:
    """An organization."""
    assert current_database() is database
    async with unit_of_work() as session:
        return await an_organization(session)
