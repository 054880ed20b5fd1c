"""Chinese of suspensions, on both sides of the desk."""

from collections.abc import Mapping

SUSPENSION_CHINESE: Mapping[str, str] = {
    "error.own_organization": "您是该组织的成员，须由同事处理。未作任何更改。",
    "error.suspension_changed": "已有同事先行暂停或恢复了该组织，未作任何更改。",
    "suspended.answer_mail": "如有异议，可提出并提供证明：请回复所有者和管理员收到的相关邮件。",
    "suspended.label": "暂停",
    "suspended.next": "下一步：",
    "suspended.what": "贵组织自 {since} 起已被暂停。",
    "suspended.what_stays": (
        "暂停结束之前，新的调用、充值、购买套餐和退款均不受理。余额、密钥、用量、账单和发票保持不变，仍可查看。"
    ),
    "suspended.why": "原因：",
    "suspended.write_to": "如有异议，可提出并提供证明，请致信",
    "suspension.by_command": "通过服务器命令",
    "suspension.cause": "原因",
    "suspension.choose": "请选择原因",
    "suspension.consequence": (
        "新的调用将在一秒内被拒绝，充值、购买套餐和退款也不受理；进行中的调用不受影响。"
        "该组织的人员会在每个页面上方看到原因和您的说明，其所有者和管理员会收到邮件。"
    ),
    "suspension.history": "暂停记录",
    "suspension.none": "该组织从未被暂停。",
    "suspension.none_next": "暂停及其原因会保留在这里，结束之后也是如此。",
    "suspension.only_reviewers": "暂停和恢复组织由审核人员或平台管理员处理，且不得处理自己所属的组织。",
    "suspension.resume": "恢复",
    "suspension.resume_consequence": "调用将在一秒内再次被受理，所有者和管理员会收到邮件。",
    "suspension.resume_title": "恢复该组织",
    "suspension.resume_words": "恢复原因",
    "suspension.resume_words_hint": "保留在记录中，供运营人员查看。",
    "suspension.since": "暂停时间",
    "suspension.suspend": "暂停",
    "suspension.suspend_title": "暂停该组织",
    "suspension.until": "恢复时间",
    "suspension.words": "说明",
    "suspension.words_hint": "该组织会看到这段话：发生了什么，以及希望其如何处理。",
    "suspension_cause.legal": "法律或主管机关要求",
    "suspension_cause.other": "其他原因",
    "suspension_cause.overdue": "款项逾期未付",
    "suspension_cause.particulars": "组织资料已过期或存疑",
    "suspension_cause.prohibited_use": "用途为条款、法律或供应商规则所禁止",
    "suspension_cause.requested": "应该组织的要求",
    "suspension_cause.security": "密钥或登录可能已被他人掌握",
    "suspension_done.resumed": "已恢复，调用将再次被受理，该组织会收到邮件。",
    "suspension_done.suspended": "已暂停，新的调用将被拒绝，该组织会收到邮件。",
    "suspension_next.legal": "请询问贵组织可以如何处理。",
    "suspension_next.other": "请按原因中的要求处理，完成后告知我们。",
    "suspension_next.overdue": "请付清欠款（账单和发票中有说明），付款后告知我们。",
    "suspension_next.particulars": "请在“组织核验”页面更新资料和文件并提交。",
    "suspension_next.prohibited_use": "请停止该用途，并告知我们作了哪些改变。",
    "suspension_next.requested": "需要恢复调用时，请告知我们。",
    "suspension_next.security": "请吊销可能已泄露的密钥，更换密码，完成后告知我们。",
}
