"""Four phones in a page and small copies of the providers: a process of its own.

``python -m bot.simulator`` answers as a Telegram Bot API and a Twilio Messages API on
loopback. It imports nothing of this project and nothing imports it. Start reading at
``server``.

__main__: the command line: start, print the address, serve until told to end
acts: what a person can do with a phone
clock: the simulator's time: shifted and scaled on demand
control: the HTTP API by which tests and the page act on phones and faults
manners: how a message is sent: as a quoting answer, or forwarded
page: the page with the phones
phones: the phones, and the lines of their chats
rules: faults, storms, strict rates, segments, the journal, authenticator codes
sending: what is sent in one act: words, files, a place or a card
server: the ASGI application: providers' APIs, control, page behind one address
telegram: a small Telegram Bot API
twilio: a small Twilio Messages API
weather: the HTTP endpoints of storms and of the journal
wire: requests read and answered, and the faults that an answer can have
world: what the simulator remembers: settings, phones, faults, requests
"""
