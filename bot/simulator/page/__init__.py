"""The page with the phones.

markup: HTML of the page and its phones, every text escaped
page: its endpoints: GET shows it, forms post what a person does
thread: HTML of one phone's messages
wording: its own words, in Indonesian and English
"""
