"""Simplified Chinese of the quick start and the playground."""

from collections.abc import Mapping

CALLING_CHINESE: Mapping[str, str] = {
    "nav.playground": "体验区",
    "nav.quick_start": "快速开始",
    "play.clear": "清空",
    "play.conversation": "对话",
    "play.empty": "您与模型的对话将显示在此处。",
    "play.failed": "本次调用未得到应答，请重试；如仍如此，请将下方的请求编号告知我们。",
    "play.key": "API 密钥",
    "play.key_hint": "仅保留在本页内存中，离开页面即清除。",
    "play.lead": "在本页与模型对话。浏览器使用您的密钥直接调用中转服务，费用与其他调用相同。",
    "play.no_funds": "可用余额不足以支付本次调用，请充值或改用价格较低的模型。",
    "play.no_model": "该密钥无权调用此模型，或模型已下线。请改用其他模型，或调整密钥可用的模型。",
    "play.no_network": "无法连接中转服务，或连接已中断，请几秒后重试。",
    "play.not_verified": "贵组织尚未通过核验，通过核验后即可调用。",
    "play.notice": (
        "回答由模型生成，可能有误、不完整或已过时，采用前请自行核实。OneToken 不保存任何对话内容；模型供应商会收"
        "到对话内容。"
    ),
    "play.question": "您的消息",
    "play.send": "发送",
    "play.send_hint": "按 Ctrl + Enter 发送。",
    "play.stop": "停止",
    "play.title": "体验区",
    "play.word_duration": "用时",
    "play.word_input": "输入",
    "play.word_model": "模型",
    "play.word_output": "输出",
    "play.word_stopped": "已停止。此前已生成的内容照常计费。",
    "play.word_you": "您",
    "play.wrong_key": "密钥有误、已过期或已被吊销。请重新粘贴，或创建新的密钥。",
    "quick.address": "任何支持 OpenAI Chat Completions 的客户端均可使用。接口地址：",
    "quick.call": "2. 发起调用",
    "quick.key": "1. 将密钥写入环境变量",
    "quick.key_known": "贵组织最新的密钥以此开头。请粘贴创建时保存的完整密钥。",
    "quick.key_none": "尚无可用密钥。请先创建，再将密钥粘贴于此。",
    "quick.keys": "API 密钥",
    "quick.lead": "从密钥到用量页上的第一笔费用。",
    "quick.no_model": "贵组织目前没有可调用的模型：没有以贵组织币种定价且地域开放的模型。",
    "quick.node": "在 Node 中，使用 openai 包",
    "quick.price": "{model} 的价格",
    "quick.see": "3. 查看费用",
    "quick.see_words": "调用及其准确费用会在数秒内显示在用量页。",
    "quick.title": "快速开始",
}
