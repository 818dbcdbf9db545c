"""Office documents without authors, comments, macros and old versions.

clean: writes the archive anew from the cleaned parts that are known
fields: fields and formulas: keeps their result, removes what would run or link
markup: the XML parts: removes names, revisions, comments, links
trees: reads XML without entities or network, prunes it without losing words
"""
