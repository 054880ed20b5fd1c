"""The words of mails, in the reader's language. Pure: a function a mail, and what it names comes in as arguments.

A mail says what happened, what to do, and what to do when it was not you. It names no particulars of a case.
"""

from dataclasses import dataclass, field

from onetoken_app.notifications.models import LetterKind

CHINESE = "zh-CN"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    kind: LetterKind
    subject: str
    words: str = field(repr=False)


def signed(words: str, *, operator_name: str | None, contact_email: str | None) -> str:
    """Add who writes, and where to answer, to a mail's last line, which reads the same in every language."""
    more = [part for part in (operator_name, contact_email) if part and part != "OneToken"]
    return " · ".join([words.rstrip("\n"), *more]) + "\n"


def confirm_address(locale: str, *, link: str, hours: int) -> Letter:
    """Ask whoever reads this address to go on with their sign-up."""
    if locale == CHINESE:
        return chinese(
            LetterKind.CONFIRM_ADDRESS,
            "确认邮箱，继续注册 OneToken",
            "有人（很可能是您）用此邮箱在 OneToken 为组织注册。请打开以下链接继续：",
            link,
            f"链接在 {hours} 小时内有效，只能使用一次。如果不是您本人操作，请忽略此邮件：不会建立任何账户。",
        )
    return english(
        LetterKind.CONFIRM_ADDRESS,
        "Confirm your address and go on with OneToken",
        "Somebody, most likely you, began to register an organization with OneToken under this address. Go on here:",
        link,
        f"The link works once, within {hours} hours. If it was not you, ignore this mail: no account is made.",
    )


def already_signed_up(locale: str, *, sign_in: str, forgotten: str) -> Letter:
    """Tell the owner of an address that it is known already."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ALREADY_SIGNED_UP,
            "您已有 OneToken 账户",
            "有人（很可能是您）用此邮箱注册 OneToken，但此邮箱已有账户，未作任何更改。请在此登录：",
            sign_in,
            f"忘记密码？请在此重设：\n\n{forgotten}\n\n如果不是您本人操作，无需理会此邮件。",
        )
    return english(
        LetterKind.ALREADY_SIGNED_UP,
        "You have a OneToken account already",
        "Somebody, most likely you, signed up for OneToken with this address. It has an account already, and nothing "
        "was changed. Sign in here:",
        sign_in,
        f"Forgot the password? Choose a new one here:\n\n{forgotten}\n\nIf it was not you, there is nothing to do.",
    )


def reset_password(locale: str, *, link: str, minutes: int) -> Letter:
    """Send the link to choose a new password."""
    if locale == CHINESE:
        return chinese(
            LetterKind.RESET_PASSWORD,
            "重设 OneToken 密码",
            "有人（很可能是您）要求为此邮箱重设 OneToken 密码。请打开以下链接设置新密码：",
            link,
            f"链接在 {minutes} 分钟内有效，只能使用一次。如果不是您本人操作，请忽略此邮件：密码不会改变。",
        )
    return english(
        LetterKind.RESET_PASSWORD,
        "Choose a new OneToken password",
        "Somebody, most likely you, asked for a new OneToken password for this address. Choose it here:",
        link,
        f"The link works once, within {minutes} minutes. If it was not you, ignore this mail: your password stays.",
    )


def no_account(locale: str, *, sign_up: str) -> Letter:
    """Tell the owner of an address that there is no account under it."""
    if locale == CHINESE:
        return chinese(
            LetterKind.NO_ACCOUNT,
            "此邮箱没有 OneToken 账户",
            "有人（很可能是您）要求为此邮箱重设 OneToken 密码，但此邮箱没有账户。"
            "您可能用了其他邮箱；也可在此为组织注册：",
            sign_up,
            "如果不是您本人操作，无需理会此邮件。",
        )
    return english(
        LetterKind.NO_ACCOUNT,
        "There is no OneToken account under this address",
        "Somebody, most likely you, asked for a new OneToken password for this address, but there is no account under "
        "it. Perhaps it is under another address. To register an organization, go here:",
        sign_up,
        "If it was not you, there is nothing to do.",
    )


def password_changed(locale: str, *, forgotten: str) -> Letter:
    """Tell somebody that their password is a new one."""
    if locale == CHINESE:
        return chinese(
            LetterKind.PASSWORD_CHANGED,
            "您的 OneToken 密码已更改",
            "您的 OneToken 密码刚刚更改，所有浏览器都已退出登录。如果不是您本人操作，请立即在此重设密码：",
            forgotten,
            "并请告知您所在组织的所有者。",
        )
    return english(
        LetterKind.PASSWORD_CHANGED,
        "Your OneToken password was changed",
        "Your OneToken password has just been changed, and every browser was signed out. If it was not you, choose a "
        "new password at once:",
        forgotten,
        "and tell the owner of your organization.",
    )


def invitation(locale: str, *, organization_name: str, invited_by: str, link: str, days: int) -> Letter:
    """Send the link to take a seat in an organization."""
    if locale == CHINESE:
        return chinese(
            LetterKind.INVITATION,
            f"邀请您加入 OneToken 上的“{organization_name}”",
            f"{invited_by} 邀请您在 OneToken 上代表“{organization_name}”行事。请打开以下链接接受邀请：",
            link,
            f"链接在 {days} 天内有效，只能使用一次。如果您不认识对方，请忽略此邮件。",
        )
    return english(
        LetterKind.INVITATION,
        f"An invitation to act for {organization_name} on OneToken",
        f"{invited_by} invites you to act for {organization_name} on OneToken. Accept here:",
        link,
        f"The link works once, within {days} days. If you do not know them, ignore this mail.",
    )


def case_news(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a member that the verification of their organization has moved on; the console says how."""
    if locale == CHINESE:
        return chinese(
            LetterKind.CASE_NEWS,
            f"“{organization_name}”的核验有新进展",
            f"“{organization_name}”在 OneToken 的核验有新进展。请登录查看结果以及下一步：",
            address,
            "出于保密考虑，邮件中不写明详情。",
        )
    return english(
        LetterKind.CASE_NEWS,
        f"News about the verification of {organization_name}",
        f"There is news about the verification of {organization_name} on OneToken. Sign in to read it and to see "
        "what comes next:",
        address,
        "We keep the particulars out of mails.",
    )


def case_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a reviewer that an organization submitted its case."""
    if locale == CHINESE:
        return chinese(
            LetterKind.CASE_WAITS,
            f"“{organization_name}”已提交核验",
            f"“{organization_name}”在 OneToken 提交了核验案卷，正在等待审核。请登录处理：",
            address,
            "您收到此邮件，是因为您在 OneToken 负责审核。出于保密考虑，邮件中不写明案卷内容。",
        )
    return english(
        LetterKind.CASE_WAITS,
        f"{organization_name} asks to be verified",
        f"{organization_name} submitted its case on OneToken. It waits for a reviewer:",
        address,
        "You get this mail because you review organizations on OneToken. We keep the particulars out of mails.",
    )


def payment_news(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a member that a payment of their organization has moved on; the console says how."""
    if locale == CHINESE:
        return chinese(
            LetterKind.PAYMENT_NEWS,
            f"“{organization_name}”的付款有新进展",
            f"“{organization_name}”在 OneToken 的一笔付款有新进展。请登录查看：",
            address,
            "出于保密考虑，邮件中不写明详情。",
        )
    return english(
        LetterKind.PAYMENT_NEWS,
        f"News about a payment of {organization_name}",
        f"There is news about a payment of {organization_name} on OneToken. Sign in to read it:",
        address,
        "We keep the particulars out of mails.",
    )


def transfer_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody of finance that an organization reported a transfer."""
    if locale == CHINESE:
        return chinese(
            LetterKind.TRANSFER_WAITS,
            f"“{organization_name}”已报告一笔银行转账",
            f"“{organization_name}”在 OneToken 报告了一笔银行转账，正在等待查账。请登录处理：",
            address,
            "您收到此邮件，是因为您在 OneToken 负责付款事务。出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.TRANSFER_WAITS,
        f"{organization_name} reported a bank transfer",
        f"{organization_name} reported a bank transfer on OneToken. It waits to be found on the bank statement:",
        address,
        "You get this mail because you look after payments on OneToken. We keep amounts out of mails.",
    )


def refund_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody of finance that a refund needs them: to be approved, paid by hand, or because it failed."""
    if locale == CHINESE:
        return chinese(
            LetterKind.REFUND_WAITS,
            f"“{organization_name}”的一笔退款需要处理",
            f"“{organization_name}”在 OneToken 的一笔退款需要处理：待批准、待转账，或支付失败。请登录查看：",
            address,
            "您收到此邮件，是因为您在 OneToken 负责付款事务。出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.REFUND_WAITS,
        f"A refund of {organization_name} needs somebody",
        f"A refund of {organization_name} on OneToken needs somebody: to approve it, to transfer it, or to look at "
        "why it failed. Sign in to see which:",
        address,
        "You get this mail because you look after payments on OneToken. We keep amounts out of mails.",
    )


def adjustment_news(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a member that the balance of their organization was put right by hand; the console says how and why."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ADJUSTMENT_NEWS,
            f"“{organization_name}”的余额已调整",
            f"“{organization_name}”在 OneToken 的余额已作调整。金额与原因见账单，请登录查看：",
            address,
            "出于保密考虑，邮件中不写明详情。",
        )
    return english(
        LetterKind.ADJUSTMENT_NEWS,
        f"The balance of {organization_name} was adjusted",
        f"We adjusted the balance of {organization_name} on OneToken. Sign in to read by how much and why:",
        address,
        "We keep the particulars out of mails.",
    )


def adjustment_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody of finance that an adjustment was proposed."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ADJUSTMENT_WAITS,
            f"“{organization_name}”的余额调整待处理",
            f"有人提议调整“{organization_name}”的余额。请登录核对：",
            address,
            "提议本身不改变余额。",
        )
    return english(
        LetterKind.ADJUSTMENT_WAITS,
        f"An adjustment for {organization_name} waits",
        f"Somebody proposed to adjust the balance of {organization_name}. Sign in to look at it:",
        address,
        "A proposal by itself moves nothing.",
    )


def invoice_news(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a member that an invoice of their organization has moved on; the console says how."""
    if locale == CHINESE:
        return chinese(
            LetterKind.INVOICE_NEWS,
            f"“{organization_name}”的发票有新进展",
            f"“{organization_name}”在 OneToken 申请的一张发票有新进展。请登录查看：",
            address,
            "出于保密考虑，邮件中不写明详情。",
        )
    return english(
        LetterKind.INVOICE_NEWS,
        f"News about an invoice of {organization_name}",
        f"There is news about an invoice that {organization_name} asked for on OneToken. Sign in to read it:",
        address,
        "We keep the particulars out of mails.",
    )


def invoice_waits(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody of finance that an organization asked for an invoice."""
    if locale == CHINESE:
        return chinese(
            LetterKind.INVOICE_WAITS,
            f"“{organization_name}”申请开具发票",
            f"“{organization_name}”在 OneToken 申请开具发票，正在等待处理。请登录处理：",
            address,
            "您收到此邮件，是因为您在 OneToken 负责付款事务。出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.INVOICE_WAITS,
        f"{organization_name} asked for an invoice",
        f"{organization_name} asked for an invoice on OneToken. It waits to be made:",
        address,
        "You get this mail because you look after payments on OneToken. We keep amounts out of mails.",
    )


def statement_closed(locale: str, *, organization_name: str, month: str, address: str) -> Letter:
    """Tell a member that a month of their organization is closed; the console has the statement."""
    if locale == CHINESE:
        return chinese(
            LetterKind.STATEMENT_CLOSED,
            f"“{organization_name}”{month} 的账单已出具",
            f"“{organization_name}”在 OneToken {month} 的月度账单已出具，不会再变动。请登录查看：",
            address,
            "出于保密考虑，邮件中不写明金额。",
        )
    return english(
        LetterKind.STATEMENT_CLOSED,
        f"The statement of {organization_name} for {month}",
        f"The month {month} of {organization_name} on OneToken is closed, and its statement does not change any more. "
        "Sign in to read it:",
        address,
        "We keep amounts out of mails.",
    )


def role_changed(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell a member that what they may do for an organization was changed; the console says to what."""
    if locale == CHINESE:
        return chinese(
            LetterKind.ROLE_CHANGED,
            f"您在“{organization_name}”的角色已更改",
            f"您在 OneToken 上代表“{organization_name}”行事的角色已由该组织更改，立即生效。请登录查看新角色及其权限：",
            address,
            "如果您认为有误，请联系该组织的所有者或管理员。",
        )
    return english(
        LetterKind.ROLE_CHANGED,
        f"Your role for {organization_name} was changed",
        f"Somebody in charge of {organization_name} changed your role for it on OneToken. It counts at once. Sign in "
        "to see which it is, and what it allows:",
        address,
        "If you think that this is a mistake, ask an owner or administrator of the organization.",
    )


def member_removed(locale: str, *, organization_name: str, address: str) -> Letter:
    """Tell somebody that they act for an organization no longer."""
    if locale == CHINESE:
        return chinese(
            LetterKind.MEMBER_REMOVED,
            f"您已不再代表“{organization_name}”",
            f"您已被移出 OneToken 上的“{organization_name}”，不再代表该组织行事，所有浏览器都已退出登录。"
            "您的账户仍然保留；如果您还代表其他组织，请重新登录：",
            address,
            "您创建的 API 密钥属于该组织，仍由其保管；您发出的未接受邀请已撤回。"
            "如果您认为有误，请联系该组织的所有者或管理员。",
        )
    return english(
        LetterKind.MEMBER_REMOVED,
        f"You act for {organization_name} no longer",
        f"You were removed from {organization_name} on OneToken: you act for it no longer, and every browser was "
        "signed out. Your account stays; if you act for another organization, sign in again:",
        address,
        "API keys that you created belong to the organization and stay with it; invitations of yours that nobody "
        "accepted were withdrawn. If you think that this is a mistake, ask an owner or administrator of the "
        "organization.",
    )


def english(kind: LetterKind, subject: str, before: str, link: str, after: str) -> Letter:
    """Put an English mail together."""
    return Letter(kind, subject, f"Hello,\n\n{before}\n\n{link}\n\n{after}\n\nOneToken\n")


def chinese(kind: LetterKind, subject: str, before: str, link: str, after: str) -> Letter:
    """Put a Chinese mail together."""
    return Letter(kind, subject, f"您好：\n\n{before}\n\n{link}\n\n{after}\n\nOneToken\n")
