"""Chinese words of the channels page."""

from collections.abc import Mapping

CHANNELS_CHINESE: Mapping[str, str] = {
    "attempt_outcome.busy": "限流",
    "attempt_outcome.failed": "失败",
    "attempt_outcome.refused": "被拒绝",
    "attempt_outcome.too_slow": "超时",
    "attempt_outcome.unreachable": "无法连接",
    "channel_health.failing": "故障",
    "channel_health.good": "正常",
    "channel_health.quiet": "无调用",
    "channel_health.troubled": "异常",
    "channels.attempts": "尝试次数",
    "channels.duration": "耗时",
    "channels.failures": "近一小时失败",
    "channels.health": "近一小时",
    "channels.last_failures": "近 24 小时的失败",
    "channels.lead": "上游接入点及近一小时调用的结果。凭证已加密保存，从不显示。",
    "channels.model": "上游模型",
    "channels.moment": "时间",
    "channels.name": "通道",
    "channels.no_failures": "近 24 小时没有失败的尝试。",
    "channels.no_failures_next": "失败会按类别显示在这里；请求与回答的内容一概不保留。",
    "channels.none": "还没有通道。",
    "channels.none_next": "请写入配置文件并运行“onetoken apply”。",
    "channels.outcome": "失败类别",
    "channels.put_back": "恢复",
    "channels.put_back_consequence": "一秒之内调用会重新发往该通道；若仍然失败，系统会自动暂停使用它。",
    "channels.put_back_title": "恢复这个通道？",
    "channels.region": "地域",
    "channels.request": "请求",
    "channels.switch": "状态",
    "channels.take_out": "停用",
    "channels.take_out_consequence": (
        "一秒之内不再有新调用发往该通道，进行中的调用会正常结束。没有其他通道的模型将无法调用。"
    ),
    "channels.take_out_title": "停用这个通道？",
    "channels.title": "通道",
}
