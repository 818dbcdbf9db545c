"""The page with the phones.

markup: its HTML, every text escaped
page: its endpoints: GET shows it, forms post what a person does
wording: its own words, in Indonesian and English
"""
