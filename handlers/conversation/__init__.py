"""Carries out what the dialogue decided.

accusations: what accuses those above us after a report was sent goes to them alone
clean_chat: deletes both sides' messages of a chat, one batch at a time
commands: runs the verb of each command that the dialogue returns
exchange: one message in its transaction: recall the conversation, answer, remember
flood: what one contact sends too much of joins a draft that sends itself
items: seals the items of a message into the draft or the case it belongs to
lead: what the words of a draft were read as, and what routing goes by
memory: the encrypted state of a conversation, and its trail of message ids
receipt_lookup: finds number and code in a message, before its transaction
"""
