"""The conversation as data: steps, choices, keywords, and their proof. Pure.

book: reads ``questionnaire.toml`` and ``keywords.toml``
choices: data of buttons; which choice a typed answer means
keywords: the words that reporters use, matched with spelling errors
proofs: proves a questionnaire and its texts: ``kentongan check``
steps: the types: step, option, condition, questionnaire
"""
