"""The words of mails about an organization's standing; see ``letters``."""

from onetoken_app.notifications.letters import CHINESE, Letter, chinese, english
from onetoken_app.notifications.models import LetterKind


def organization_suspended(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody in charge that calls are refused; the console says why."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ORGANIZATION_SUSPENDED,
            f"“{organization_name}”已被暂停",
            f"“{organization_name}”在 OneToken 已被暂停：新的调用将被拒绝，进行中的调用不受影响。"
            "请登录查看原因以及下一步：",
            address,
            "余额、密钥和记录都保留不变。您可以在平台上或回复此邮件提出异议、提供证明。出于保密考虑，邮件中不写明原因。",
        )
    return english(
        LetterKind.ORGANIZATION_SUSPENDED,
        f"{organization_name} is suspended",
        f"{organization_name} is suspended on OneToken: new calls are refused, and calls under way go on. Sign in to "
        "see why, and what to do next:",
        address,
        "Balance, keys and records stay as they are. You may object and give evidence, on the platform or by answering "
        "this mail. We keep the reason out of mails.",
    )


def organization_resumed(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody in charge that calls are admitted again as far as the suspension is concerned."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ORGANIZATION_RESUMED,
            f"“{organization_name}”已恢复",
            f"“{organization_name}”在 OneToken 的暂停已结束，调用将再次被受理。请登录查看：",
            address,
            "如果仍有其他事项妨碍调用，概览页会说明。",
        )
    return english(
        LetterKind.ORGANIZATION_RESUMED,
        f"{organization_name} is suspended no longer",
        f"The suspension of {organization_name} on OneToken is over, and its calls are admitted again. Sign in to see "
        "how things stand:",
        address,
        "If something else is in the way of calls, the overview says what.",
    )
