"""What a reporter's own words say about the way their report must go. Pure.

Words come in, codes go out; no word of a report leaves this package. The words it knows are
data: ``rules/<jurisdiction>/accused.toml``, ``subjects.toml``, ``spelling.toml``,
``places.toml``, and an agency's own in ``own_words.toml``.

accused: who is accused, told from who is only mentioned
entries: the files of words, and what must stand in each of them
lexicon: all known words of one jurisdiction, read and checked
mentions: the places that the words of a text name, and how surely each is one
phrases: the small language in which the data says what people write
places: which province and regency an answer or a story names
reading: the result, how two of them are joined, and ``read``, the way in
spelling: a message as words, whatever its spelling
subjects: what a report is about, corruption or not, and what makes it urgent
surroundings: what stands around a title, and whether it excuses who bears it
titles: titles in a text, and the people told of beside them
"""
