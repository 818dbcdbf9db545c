"""Pages for everybody: what this is, every way to report, and a leaflet to print.

No session, no cookie, no script, and nobody else is asked for anything. A page is made
once and then lies in memory as bytes.

front: the addresses, the language of a visitor, the bytes of each page
kept: what is kept and for how long, in words, from the lifetimes rules
texts: the pages' words, an agency's own over ours
ways: the ways to report that are set up; one of them needs no phone
"""
