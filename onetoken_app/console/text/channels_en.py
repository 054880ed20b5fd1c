"""English words of the channels page."""

from collections.abc import Mapping

CHANNELS_ENGLISH: Mapping[str, str] = {
    "attempt_outcome.busy": "Limited us",
    "attempt_outcome.failed": "Failed",
    "attempt_outcome.refused": "Refused",
    "attempt_outcome.too_slow": "Too slow",
    "attempt_outcome.unreachable": "Unreachable",
    "channel_health.failing": "Failing",
    "channel_health.good": "Working",
    "channel_health.quiet": "No calls",
    "channel_health.troubled": "In trouble",
    "channels.attempts": "Attempts",
    "channels.duration": "Took",
    "channels.failures": "Failures in the last hour",
    "channels.health": "Last hour",
    "channels.last_failures": "Failures of the last 24 hours",
    "channels.lead": (
        "Upstream endpoints, and how the calls to them ended in the last hour. Credentials are sealed and never shown."
    ),
    "channels.model": "Model upstream",
    "channels.moment": "When",
    "channels.name": "Channel",
    "channels.no_failures": "No attempt failed in the last 24 hours.",
    "channels.no_failures_next": "Failures appear here with their class; nothing of a request or an answer is kept.",
    "channels.none": "There is no channel yet.",
    "channels.none_next": "Add one to a file and run “onetoken apply”.",
    "channels.outcome": "How it failed",
    "channels.put_back": "Put back",
    "channels.put_back_consequence": (
        "Calls go there again within a second. If it still fails, it is left alone by itself."
    ),
    "channels.put_back_title": "Put this channel back?",
    "channels.region": "Region",
    "channels.request": "Request",
    "channels.switch": "State",
    "channels.take_out": "Take out",
    "channels.take_out_consequence": (
        "No new call goes there from the next second on; calls under way end. A model that has no "
        "other channel can no longer be called."
    ),
    "channels.take_out_title": "Take this channel out?",
    "channels.title": "Channels",
}
