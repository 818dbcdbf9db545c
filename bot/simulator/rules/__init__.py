"""What decides how the simulated providers behave.

authenticator: the codes that the demo officers' authenticator would show
books: the journal: what people sent, what the bot sent, each try
faults: faults on demand: which, where, for whom, how often
segments: how many SMS a text is
storm: faults by chance from a seed
strict: enforces the providers' stated rates
"""
