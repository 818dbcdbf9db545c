"""One adapter for each provider: parse, send, fetch, limits as data.

base: the interface of a channel, and the errors of sending with their policy
download: streams a file from a provider: bounded, from the provider's hosts only
limits: the rates that each provider states, as data
local_files: reads files from the folder of a Bot API server of our own
sms: SMS by Twilio: parse and send
telegram: Telegram: webhook secret, parse updates, send; second of the five files
telegram_content: the content of one Telegram message, read from raw JSON
telegram_sending: Telegram's requests, and what its errors mean for a letter
twilio: what SMS and WhatsApp share: requests, signatures, status callbacks, errors
twilio_forms: the forms that Twilio posts: signature, fields, files, statuses
twilio_listing: Twilio's list of received messages, page by page, with their files
whatsapp: WhatsApp by Twilio: parse and send, inside and outside the 24-hour window
"""
