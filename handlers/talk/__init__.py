"""The parts of the dialogue. Pure.

attachments: files, places, contact cards, edits: kept, or refused with the reason
followup: what a reporter does with number and code: status, read, add, answer
keyword_acts: keywords that act in any state: help, language, stop, cancel, edit
orders: what takes away or redirects: one message with its word, number and code
out_of_order: a button press that overtakes an earlier text: both put in order
report: the questions of a report, from the first one to SEND
state: what is remembered of a conversation between two messages
talk: one message with its state and facts; asks questions
turn: what one message led to, and the facts by which it was decided
unprompted: messages that answer no question: quotes, live locations, late messages
"""
