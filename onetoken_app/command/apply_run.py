"""What one run of ``apply`` carries from entry to entry: the open unit of work, and what it has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.settings import Settings
from onetoken_app.vault import RootSecrets


@dataclass(frozen=True, slots=True)
class MintedSecret:
    """A key that this run minted, at the one moment its secret is known."""

    organization: str
    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplyRun:
    """One run; its lists grow while it goes on."""

    session: AsyncSession
    settings: Settings
    secrets: RootSecrets
    password_hashes: Mapping[str, str]
    """By e-mail address: the hash of each password that is new or differs; made before the unit of work."""
    changes: list[str] = field(default_factory=list)
    """A line for the operator for each thing that changed."""
    keys: list[MintedSecret] = field(default_factory=list)

    async def note(
        self,
        line: str,
        *,
        action: str,
        subject_id: str,
        organization_id: str | None = None,
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        """Say a change to the operator, and put it on the audit chain as the operator's act."""
        self.changes.append(line)
        await audit.record(
            self.session,
            actor=audit.OPERATOR,
            action=action,
            subject_id=subject_id,
            organization_id=organization_id,
            facts=facts,
        )
