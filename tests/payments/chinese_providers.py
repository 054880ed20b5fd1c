"""Alipay and WeChat Pay as they sign and seal, with generated keys; written from their documents, not our code."""

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from onetoken_app.payments.queries import OrderView
from onetoken_app.settings import Settings

APP_ID = "2021000000000001"
MERCHANT_ID, WECHAT_APP_ID, API_V3_KEY = "1900000001", "wx0000000000000001", "k" * 32
PUBLIC_KEY_ID = "PUB_KEY_ID_0000000000000001"
Headers = tuple[tuple[bytes, bytes], ...]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key with both of its halves."""

    private: rsa.RSAPrivateKey

    def sign(self, content: str, algorithm: hashes.HashAlgorithm | None = None) -> str:
        """Sign as both providers do: PKCS#1 v1.5 over SHA-256, in base64."""
        return base64.b64encode(
            self.private.sign(content.encode(), padding.PKCS1v15(), algorithm or hashes.SHA256())
        ).decode()

    @property
    def private_pem(self) -> str:
        """The secret half."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def public_pem(self) -> str:
        """The other half."""
        return (
            self.private.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )


@lru_cache(maxsize=8)
def key_of(owner: str) -> KeyPair:
    """Make a key, once for each owner."""
    assert owner
    return KeyPair(rsa.generate_private_key(public_exponent=65_537, key_size=2048))


def with_alipay(settings: Settings, *, gateway_url: str = "http://127.0.0.1:9/gateway.do") -> Settings:
    """Switch Alipay on."""
    return settings.model_copy(
        update={
            "alipay_app_id": APP_ID,
            "alipay_private_key": SecretStr(key_of("us").private_pem),
            "alipay_public_key": SecretStr(key_of("alipay").public_pem),
            "alipay_gateway_url": gateway_url,
        }
    )


def with_wechat_pay(settings: Settings, *, base_url: str = "http://127.0.0.1:9") -> Settings:
    """Switch WeChat Pay on."""
    return settings.model_copy(
        update={
            "wechat_pay_merchant_id": MERCHANT_ID,
            "wechat_pay_app_id": WECHAT_APP_ID,
            "wechat_pay_certificate_serial": "5157F09EFDC096DE15EBE81A47057A7200000000",
            "wechat_pay_private_key": SecretStr(key_of("us").private_pem),
            "wechat_pay_api_v3_key": SecretStr(API_V3_KEY),
            "wechat_pay_public_key": SecretStr(key_of("wechat").public_pem),
            "wechat_pay_public_key_id": PUBLIC_KEY_ID,
            "wechat_pay_base_url": base_url,
        }
    )


def alipay_form(order: OrderView, **changes: str) -> dict[str, str]:
    """What Alipay posts of a trade that was paid, before it is signed."""
    cents = order.amount_nanos // 10_000_000
    return {
        "app_id": APP_ID,
        "charset": "utf-8",
        "notify_id": token_hex(16),
        "notify_time": "2026-11-27 20:00:00",
        "notify_type": "trade_status_sync",
        "out_trade_no": order.id,
        "seller_id": "2088000000000001",
        "subject": "OneToken 充值",
        "total_amount": f"{cents // 100}.{cents % 100:02}",
        "trade_no": "2026112722001400000000000001",
        "trade_status": "TRADE_SUCCESS",
        "version": "1.0",
    } | changes


def alipay_signed(form: dict[str, str], *, key: KeyPair | None = None, sign_type: str = "RSA2") -> bytes:
    """Sign a form as Alipay does: every member but two, sorted, joined as they read."""
    content = "&".join(f"{name}={value}" for name, value in sorted(form.items()))
    algorithm = hashes.SHA1() if sign_type == "RSA" else hashes.SHA256()  # noqa: S303 # what a forger would try
    signature = (key or key_of("alipay")).sign(content, algorithm)
    return urlencode({**form, "sign": signature, "sign_type": sign_type}).encode()


def alipay_answer(method: str, told: Json, *, key: KeyPair | None = None) -> bytes:
    """Sign an answer of Alipay's gateway: the object's exact text."""
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    name = method.replace(".", "_") + "_response"
    return f'{{"{name}":{text},"sign":"{(key or key_of("alipay")).sign(text)}"}}'.encode()


def wechat_transaction(order: OrderView, **changes: Any) -> Json:
    """What WeChat Pay says of an order that was paid."""
    return {
        "appid": WECHAT_APP_ID,
        "mchid": MERCHANT_ID,
        "out_trade_no": order.id,
        "transaction_id": "4200000000202611270000000001",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "amount": {"total": order.amount_nanos // 10_000_000, "currency": order.currency.value},
    } | changes


def wechat_notification(
    opened: Json, *, event_type: str = "TRANSACTION.SUCCESS", key: str = API_V3_KEY, **changes: Any
) -> bytes:
    """Seal what is said for the merchant, as WeChat Pay does."""
    nonce, bound_to = token_hex(6), "transaction"
    sealed = AESGCM(key.encode()).encrypt(nonce.encode(), json.dumps(opened).encode(), bound_to.encode())
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "nonce": nonce,
        "associated_data": bound_to,
        "original_type": "transaction",
    }
    told = {
        "id": token_hex(16),
        "create_time": "2026-11-27T20:00:00+08:00",
        "event_type": event_type,
        "resource_type": "encrypt-resource",
        "resource": resource,
        "summary": "paid",
    }
    return json.dumps(told | changes).encode()


def wechat_signed(
    body: bytes, *, moment: int, key: KeyPair | None = None, nonce: str = "", serial: str = PUBLIC_KEY_ID
) -> dict[str, str]:
    """Sign a body as WeChat Pay does, in headers."""
    nonce = nonce or token_hex(16)
    return {
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": (key or key_of("wechat")).sign(f"{moment}\n{nonce}\n{body.decode()}\n"),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Wechatpay-Timestamp": str(moment),
        "Wechatpay-Nonce": nonce,
    }


def as_asgi(headers: dict[str, str]) -> Headers:
    """Write headers as a server hands them over."""
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
