"""Simplified Chinese of the forms by which people come in."""

from collections.abc import Mapping

JOINING_CHINESE: Mapping[str, str] = {
    "join.accept": "我们接受",
    "join.agreements": "授权与协议",
    "join.check_email": "请检查邮箱地址。",
    "join.check_form": "表单中有内容无法使用，请检查标出的字段；用途至少选择一项。",
    "join.confirmed": "已确认的邮箱：",
    "join.name": "您的姓名",
    "join.new_link": "重新获取链接",
    "join.position": "您的职务",
    "join.position_hint": "例如信息技术负责人；将与您的姓名一同记入接受记录。",
    "join.text_changed": "文本已更新，请重新打开邮件中的链接并阅读新文本。",
    "join.wait": "请求邮件过于频繁，请稍候。剩余秒数：",
    "link.expired": "该链接已过期，请重新申请邮件。",
    "link.unknown": "请重新打开邮件中的链接；本页没有该链接，或链接不完整。",
    "link.used": "该链接已被使用。如为您本人操作，请直接登录。",
    "password.back": "返回登录",
    "password.common": "此密码容易被猜中：它是常见密码，或有日期、重复、键盘顺序等规律。可以选用几个互不相关的词。",
    "password.forgotten": "忘记密码",
    "password.forgotten_lead": "我们将向您发送用于设置新密码的链接。",
    "password.hint": "至少 {count} 个字符；由几个不相关的词组成即可。",
    "password.personal": (
        "此密码包含您的姓名、邮箱地址或组织名称，容易被猜中。请选用与之无关的密码，例如几个互不相关的词。"
    ),
    "password.reset": "设置新密码",
    "password.reset_lead": "保存后，您将在所有设备上退出登录。",
    "password.save": "保存密码",
    "password.send": "发送链接",
    "password.sent": "如该邮箱已有账户，邮件即将送达，其中的链接短时间内有效。",
    "password.weak": "密码过短或过长，或含有无法使用的字符，请另选密码。",
    "scenario.business_integration": "接入业务系统",
    "scenario.customer_support": "服务自有客户",
    "scenario.data_processing": "数据处理",
    "scenario.internal_research": "内部研究",
    "scenario.knowledge_management": "知识管理",
    "scenario.office_work": "办公",
    "scenario.public_service": "面向公众提供服务（须经我方书面同意）",
    "scenario.testing": "测试",
    "sign_in.forgotten": "忘记密码？",
    "sign_in.no_account": "还没有账户？",
    "sign_up.code": "登记代码",
    "sign_up.code_hint_elsewhere": "请按登记机关出具的证明填写登记号码，例如 HRB 86891。",
    "sign_up.code_hint_mainland": "请按营业执照填写 18 位统一社会信用代码。",
    "sign_up.code_taken": "该代码的组织已注册，请联系其所有者邀请您加入。",
    "sign_up.complete": "注册组织",
    "sign_up.continue_title": "注册贵组织",
    "sign_up.country": "登记地（国家或地区）",
    "sign_up.email": "工作邮箱",
    "sign_up.have_account": "已有账户？",
    "sign_up.known": "该邮箱已有账户，请登录。",
    "sign_up.lead": (
        "面向企业、机构及其他组织。我们将发送链接以确认您的邮箱。请备好登记代码；营业执照和授权书在注册后提交。"
    ),
    "sign_up.natural_person": "我个人",
    "sign_up.organization": "我所代表的组织",
    "sign_up.organization_name": "组织名称",
    "sign_up.organization_name_hint": "请填写登记的全称。",
    "sign_up.organizations_only": (
        "OneToken 仅面向组织。合同、核验与发票均以组织为主体，因此无法为个人用途开设账户。如您代表组织，请在上方选择。"
    ),
    "sign_up.party": "使用方",
    "sign_up.person": "签署人",
    "sign_up.scenarios": "用途（至少选择一项）",
    "sign_up.sent": (
        "请查收邮件，按其中的说明继续。邮件中的链接短时间内有效。如几分钟内未收到，请查看垃圾邮件，或重新加载本页再次"
        "发送。"
    ),
    "sign_up.submit": "发送链接",
    "sign_up.title": "注册",
    "sign_up.wrong_code_elsewhere": "该号码无效：最多 40 个字母与数字，且至少含一个数字。请与登记机关出具的证明核对。",
    "sign_up.wrong_code_mainland": "该代码无效，校验位不符，请与营业执照核对。",
}
