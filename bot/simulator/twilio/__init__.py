"""A small Twilio Messages API.

api: its HTTP methods and listings
arrival: whether a message arrives: refused at once, failed later
carrier: webhooks and status callbacks: signed, with Twilio's retries and fallback
media: media resources and their bytes
messages: the course of what the bot sends
people: what people send by SMS and WhatsApp, opt-outs included
resources: Message and Media resources, errors of the REST API
"""
