"""A small Twilio Messages API.

api: its HTTP methods and listings
carrier: webhooks and status callbacks: signed, with Twilio's retries and fallback
media: media resources and their bytes
messages: Message resources and the course of what the bot sends
people: what people send by SMS and WhatsApp, opt-outs included
"""
