"""Tables of the price book.

A published version is never changed. It names only the models whose prices it sets; the rates of a model in force at
a moment are those of the latest version, effective by then, that names the model.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.money import Currency
from onetoken_app.token_usage import TokenKind


class PriceBookVersion(SQLModel, table=True):
    """One published set of prices."""

    __tablename__ = "pricing_version"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: int | None = Field(default=None, primary_key=True)
    """Counts up; printed on every hold and charge."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    effective_at: datetime = Field(sa_type=UtcDateTime, index=True)
    published_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Rate(SQLModel, table=True):
    """The price of one kind of use of one model, from one length of the input on."""

    __tablename__ = "pricing_rate"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    version_id: int = Field(foreign_key="pricing_version.id", primary_key=True)
    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, index=True, max_length=32)
    kind: TokenKind = Field(sa_type=enum_type(TokenKind), primary_key=True)
    from_input_tokens: int = Field(default=0, primary_key=True, sa_type=sa.BigInteger)
    """All input from which on it applies to the whole call; 0: always, unless a tier says else."""
    micros_per_million: int = Field(sa_type=sa.BigInteger)
    """Micro-currency per 1 000 000 tokens; of units, picos for one, of sound for an hour; at least 0."""
