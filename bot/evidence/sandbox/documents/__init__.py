"""Office documents without authors, comments, macros and old versions.

clean: writes the archive anew from the cleaned parts that are known
concealed: what is held and not shown: words, sections, shapes, slides, styles that hide
fields: fields and formulas: keeps their result, removes what would run or link
markup: the XML parts: removes names, revisions, comments, what is hidden
parts: a part at work, and its links: none leads out of the copy
sheets: tables: hidden rows and columns, covered cells, strings that no cell shows
trees: reads XML without entities or network, prunes it without losing words
"""
