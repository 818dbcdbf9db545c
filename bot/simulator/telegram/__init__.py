"""A small Telegram Bot API.

api: its HTTP methods and file downloads
chats: chats as the bot uses them: send, edit, delete, acknowledge
keyboards: checks buttons as Telegram does
people: what people do in chats, as updates
pusher: posts updates to the bot's webhook, in order of each chat
shapes: JSON of User, Chat, Message and files
updates: updates until the bot has them: queue, polling, webhook settings
"""
