"""Notifications: members hear about events on channels of their own, through Apprise.

    channels         a member's channels, with the events they want to hear about
    due              the events to notify a channel about, computed from the ledger
    message          the text of a message
    sender           claims the due events, sends one message a channel, records the result
    apprise_adapter  checks an address and delivers a message to it

No event is forgotten: the due events are computed from the ledger, so that nothing is queued
between a resolution and its message. No event is sent twice to a channel by itself, however a run
ends and however many work at the same time. If a run is killed between sending and recording, the
message is not sent again but listed as one that may not have arrived. A message that was refused,
or did not reach its service, is tried again a few times.

Rejected: a row for each message, written with the resolution. Every verb that resolves, proposes or
disputes would have to write it and pay for it, and no verb runs when a question closes.
"""
