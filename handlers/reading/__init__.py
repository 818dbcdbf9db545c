"""What a reporter's words tell, found while they can still be read. Pure.

mentions: the places that the words of a text name, and how surely each is one
places: which province and regency an answer or a story names
"""
