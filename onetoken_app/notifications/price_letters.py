"""The words of mails about prices; see ``letters``."""

from onetoken_app.notifications.letters import CHINESE, Letter, chinese, english
from onetoken_app.notifications.models import LetterKind


def prices_change(locale: str, *, organization_name: str, moment: str, is_dearer: bool, address: str) -> Letter:
    """Tell somebody in charge of money that an organization is charged otherwise from a moment on."""
    if locale == CHINESE:
        return chinese(
            LetterKind.PRICES_CHANGE,
            f"“{organization_name}”的价格将有变动",
            f"自 {moment} 起，“{organization_name}”在 OneToken 的价格有变动，"
            + ("其中部分价格上调" if is_dearer else "没有价格上调")
            + "。请登录查看现行价格和即将生效的价格：",
            address,
            "在此之前受理的调用仍按原价计费。出于保密考虑，邮件中不写明价格。",
        )
    return english(
        LetterKind.PRICES_CHANGE,
        f"Prices of {organization_name} change",
        f"From {moment} on, {organization_name} is charged other prices on OneToken; "
        + ("some of them are higher" if is_dearer else "none of them is higher")
        + ". Sign in to see those in force and those to come:",
        address,
        "Calls that are admitted before keep their prices. We keep prices out of mails.",
    )
