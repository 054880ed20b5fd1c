"""The words of mails about credit; see ``letters``."""

from onetoken_app.notifications.letters import CHINESE, Letter, chinese, english
from onetoken_app.notifications.models import LetterKind


def balance_low(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody in charge of money that the balance fell below the threshold that the organization set."""
    if locale == CHINESE:
        return chinese(
            LetterKind.BALANCE_LOW,
            f"“{organization_name}”的余额低于提醒值",
            f"“{organization_name}”在 OneToken 的可用额度已低于你们设定的提醒值。请登录查看并充值：",
            address,
            "额度用完后，新的调用将被拒绝。余额回升到提醒值之前，不会再次发送此邮件；提醒值可在同一页面更改。"
            "出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.BALANCE_LOW,
        f"The balance of {organization_name} is low",
        f"What {organization_name} can spend on OneToken has fallen below the threshold that you set. Sign in to see "
        "it and to top up:",
        address,
        "When it is used up, new calls are refused. You get this mail once, until the balance has risen to the "
        "threshold again; the threshold can be changed on the same page. We keep amounts out of mails.",
    )


def credit_news(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody in charge of money that credit was given, frozen or released; the console says which."""
    if locale == CHINESE:
        return chinese(
            LetterKind.CREDIT_NEWS,
            f"“{organization_name}”的额度有变动",
            f"“{organization_name}”在 OneToken 的额度有变动：获得赠送额度、被冻结或已解冻。请登录查看详情和原因：",
            address,
            "出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.CREDIT_NEWS,
        f"News about the credit of {organization_name}",
        f"The credit of {organization_name} on OneToken has changed: some was given, or it was frozen or released. "
        "Sign in to see which, and why:",
        address,
        "We keep amounts out of mails.",
    )


def grant_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody of finance that a grant needs a second person."""
    if locale == CHINESE:
        return chinese(
            LetterKind.GRANT_WAITS,
            f"一笔赠予“{organization_name}”的额度待复核",
            f"一笔赠予“{organization_name}”的额度需要第二个人批准。请登录处理：",
            address,
            "您收到此邮件，是因为您在 OneToken 负责付款事务。出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.GRANT_WAITS,
        f"A grant to {organization_name} needs a second person",
        f"Credit that is to be given to {organization_name} on OneToken needs the approval of a second person:",
        address,
        "You get this mail because you look after payments on OneToken. We keep amounts out of mails.",
    )
