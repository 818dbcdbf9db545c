"""Takes in what providers deliver.

bodies: reads request bodies, bounded
crowd: limits requests and bytes that wait at the webhooks
intake: from a raw message to its commit; webhooks and poller both call it
lost_messages: lists messages at Twilio and takes in those that never reached us
poller: long polling of Telegram, for a server without a public address
proving: tries codes in turn, one place a contact
quarantine: parses a message from quarantine again when a custodian releases it
registration: registers our webhook at Telegram and keeps it registered
"""
