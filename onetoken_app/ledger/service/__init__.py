"""The ledger's verbs: opens accounts, moves credit, sets limits. Holds and closes are the writer's.

Every verb takes an open unit of work and never commits. Each that changes money or terms is done once per reference,
which is unique over the whole ledger and at most 128 characters; a repeat that says the same changes nothing, one that
says something else is refused. They work on the same books, under the same locks and on the same chain as the writer;
from the first of them to the commit, holds and closes wait.
"""

from onetoken_app.ledger.service.accounts import (
    follow_credit_limit,
    freeze_owner,
    open_account,
    set_credit_limit,
    unfreeze_owner,
)
from onetoken_app.ledger.service.budgets import change_budget, create_budget, remove_budget
from onetoken_app.ledger.service.claims import purge_claims
from onetoken_app.ledger.service.credit import adjust, grant_credit, refund, top_up
from onetoken_app.ledger.service.lots import LOTS_AT_ONCE, expire_lots, grant_promotional_credit, sell_package
from onetoken_app.ledger.service.reversals import return_refund, reverse

__all__ = [
    "LOTS_AT_ONCE",
    "adjust",
    "change_budget",
    "create_budget",
    "expire_lots",
    "follow_credit_limit",
    "freeze_owner",
    "grant_credit",
    "grant_promotional_credit",
    "open_account",
    "purge_claims",
    "refund",
    "remove_budget",
    "return_refund",
    "reverse",
    "sell_package",
    "set_credit_limit",
    "top_up",
    "unfreeze_owner",
]
