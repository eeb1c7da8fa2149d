"""Telling members what concerns them, where they want to be told, by Apprise.

    channels    where a member is told of what: their own settings
    due         what is to be told, worked out from the ledger itself
    outbox      each event once a channel: claimed, sent, recorded
    message     what is said
    apprising   the one door to Apprise: which addresses may be used, and how one is written to

What is guaranteed: an event is told at most once a channel, whatever ends a run and however many
run side by side; a message whose sender was killed before it could record what came of it is not
sent again by itself, and is listed as one that may not have arrived. One that the service refused,
or that never reached it, is sent again a few times. And none is forgotten: what is due is worked
out from the ledger, so that nothing has to be remembered between a resolution and its message.

Rejected: to write a row for each message in the transaction of the resolution. It would have to be
done wherever something resolves, is proposed or closes (which nobody does: time passes), and every
act would pay for it.
"""
