"""Every table in one import, for migrations and tests."""

from sqlmodel import SQLModel

from onetoken_app import database
from onetoken_app.agreements import models as agreements
from onetoken_app.audit import models as audit
from onetoken_app.billing import models as billing
from onetoken_app.catalog import models as catalog
from onetoken_app.credit import models as credit
from onetoken_app.identity import models as identity
from onetoken_app.keys import models as keys
from onetoken_app.ledger import models as ledger
from onetoken_app.notifications import models as notifications
from onetoken_app.organizations import models as organizations
from onetoken_app.payments import alone_models as payments_alone
from onetoken_app.payments import models as payments
from onetoken_app.pricing import models as pricing
from onetoken_app.reconciliation import models as reconciliation
from onetoken_app.usage import models as usage
from onetoken_app.verification import models as verification

metadata = SQLModel.metadata

__all__ = [
    "agreements",
    "audit",
    "billing",
    "catalog",
    "credit",
    "database",
    "identity",
    "keys",
    "ledger",
    "metadata",
    "notifications",
    "organizations",
    "payments",
    "payments_alone",
    "pricing",
    "reconciliation",
    "usage",
    "verification",
]
