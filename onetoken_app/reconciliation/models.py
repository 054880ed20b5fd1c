"""Tables of what upstreams billed, as their exports say it. A bill is imported whole and never changed."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency


class UpstreamBill(SQLModel, table=True):
    """One file that an upstream's usage export made."""

    __tablename__ = "reconciliation_bill"
    __table_args__ = (sa.UniqueConstraint("channel_id", "sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    """Counts up: of two that name a day, the later one counts."""
    channel_id: str = Field(foreign_key="catalog_channel.id", max_length=32)
    sha256: str = Field(max_length=64)
    """Of the file, in hexadecimal: the same file is imported once."""
    time_zone: str = Field(max_length=64)
    """In which its days are cut."""
    first_on: date
    last_on: date
    line_count: int
    imported_at: datetime = Field(sa_type=UtcDateTime)


class UpstreamBillLine(SQLModel, table=True):
    """What a bill says of one day and model, lines of the file added up."""

    __tablename__ = "reconciliation_bill_line"

    bill_id: int = Field(foreign_key="reconciliation_bill.id", primary_key=True)
    day: date = Field(primary_key=True, index=True)
    upstream_model: str = Field(primary_key=True, max_length=128)
    """What the provider calls the model."""
    currency: Currency = Field(primary_key=True, sa_type=enum_type(Currency))
    request_count: int = Field(sa_type=sa.BigInteger)
    input_tokens: int = Field(sa_type=sa.BigInteger)
    """All input, cached or not."""
    output_tokens: int = Field(sa_type=sa.BigInteger)
    cost_nanos: int = Field(sa_type=sa.BigInteger)
    """Negative where it credits something."""
