"""The certificate of an acceptance: a plain text that says who accepted what, when and from where, and quotes the text.

Whoever cuts the quoted text out and takes its SHA-256 gets the figure above it. Pure.
"""

from onetoken_app.agreements.documents import Document
from onetoken_app.agreements.models import AcceptanceMethod, AgreementKind
from onetoken_app.agreements.queries import EvidenceView
from onetoken_app.clock import iso_instant
from onetoken_app.organizations.queries import OrganizationView

CUT_HERE = "-" * 32 + " 8< " + "-" * 32
_CHINESE = "zh-CN"
_KINDS = {
    "en": {
        AgreementKind.TERMS_OF_SERVICE: "Terms of Service",
        AgreementKind.PRIVACY_POLICY: "Privacy Policy",
    },
    _CHINESE: {AgreementKind.TERMS_OF_SERVICE: "服务条款", AgreementKind.PRIVACY_POLICY: "隐私政策"},
}
_METHODS = {
    "en": {
        AcceptanceMethod.PERSON_CLICKED: "by a person, in the browser",
        AcceptanceMethod.OPERATOR_ATTESTATION: "stated by the operator: it was accepted outside the platform",
    },
    _CHINESE: {
        AcceptanceMethod.PERSON_CLICKED: "由本人在浏览器中点击接受",
        AcceptanceMethod.OPERATOR_ATTESTATION: "运营方声明：在平台之外接受",
    },
}
_LABELS = {
    "en": {
        "title": "CERTIFICATE OF ACCEPTANCE",
        "number": "Number",
        "agreement": "Agreement",
        "version": "Version",
        "language": "Language",
        "sha256": "SHA-256 of the text",
        "organization": "Organization",
        "code": "Registration code",
        "method": "Accepted",
        "name": "Name",
        "position": "Position",
        "moment": "Moment (UTC)",
        "caller_ip": "Address",
        "user_agent": "Browser",
        "notice": "This certificate shows what was accepted. It is no evidence of any licence, filing or assessment "
        "that the organization may need, and none of the organization's verification.",
        "quoted": "The text as it was accepted follows between the two lines.",
    },
    _CHINESE: {
        "title": "接受证明",
        "number": "编号",
        "agreement": "协议",
        "version": "版本",
        "language": "语言",
        "sha256": "文本的 SHA-256",
        "organization": "组织",
        "code": "登记代码",
        "method": "接受方式",
        "name": "姓名",
        "position": "职务",
        "moment": "时间（UTC）",
        "caller_ip": "IP 地址",
        "user_agent": "浏览器",
        "notice": "本证明仅说明所接受的内容，不构成组织所需任何许可、备案或评估的证明，也不构成组织核验的证明。",
        "quoted": "两条线之间是所接受的文本原文。",
    },
}


def certificate_text(evidence: EvidenceView, *, organization: OrganizationView, document: Document, locale: str) -> str:
    """Write the certificate of an acceptance.

    Args:
        evidence: What was accepted.
        organization: By whom, as it is called now.
        document: The exact text.
        locale: Of the certificate; the quoted text is in the language in which it was accepted.
    """
    reads = _CHINESE if locale == _CHINESE else "en"
    labels = _LABELS[reads]
    rows = {
        "number": evidence.id,
        "agreement": _KINDS[reads][evidence.kind],
        "version": evidence.version,
        "language": evidence.locale,
        "sha256": evidence.text_sha256,
        "organization": organization.name,
        "code": organization.registration_code,
        "method": _METHODS[reads][evidence.method],
        "name": evidence.signatory_name,
        "position": evidence.signatory_title,
        "moment": iso_instant(evidence.accepted_at),
        "caller_ip": evidence.caller_ip,
        "user_agent": evidence.user_agent,
    }
    lines = [f"{labels[name]}: {value or '–'}" for name, value in rows.items()]
    head = "\n".join([f"OneToken · {labels['title']}", "", *lines, "", labels["notice"], "", labels["quoted"]])
    return f"{head}\n{CUT_HERE}\n{document.text}{CUT_HERE}\n"
