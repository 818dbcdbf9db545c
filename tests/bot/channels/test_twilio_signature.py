"""Our signature check, held against twilio's own over hundreds of requests."""

from urllib.parse import urlencode

import hypothesis
import hypothesis.strategies as st
import pytest
from twilio.request_validator import (  # type: ignore[import-untyped] # no types there
    RequestValidator,
)

from bot.channels import twilio_forms

TOKEN = "12345"


class Many(dict[str, list[str]]):
    """What the validator takes for repeated fields."""

    def getall(self, name):
        return self[name]


def signature_of(url, pairs, token=TOKEN):
    many = Many()
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return RequestValidator(token).compute_signature(url, many)


names = st.text("ABCabc019_-.", min_size=1, max_size=12)
values = st.text(max_size=40).filter(lambda text: text.isprintable() or not text)
forms = st.lists(st.tuples(names, values), max_size=12)
paths = st.text("abz/-_.~%20", max_size=20)
ports = st.sampled_from(["", ":443", ":8443", ":80"])
queries = st.sampled_from(["", "a=1", "foo=1&bar=2", "x=%C3%A9"])


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(forms, paths, ports, queries, st.booleans())
def test_it_agrees_with_the_validator(form, path, port, query, blank):
    pairs = [*form, ("Body", "")] if blank else form
    url = twilio_forms.signed_address(f"https://bot.example{port}", f"/{path}", query)
    signature = signature_of(url, pairs)
    read = twilio_forms.pairs(urlencode(pairs).encode())
    assert read == pairs
    assert twilio_forms.verify(url, read, signature, [TOKEN])
    assert not twilio_forms.verify(url, [*read, ("Extra", "1")], signature, [TOKEN])
    assert not twilio_forms.verify(url + "/", read, signature, [TOKEN])


def test_twilios_published_vector():
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ]
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert twilio_forms.verify(url, form, "L/OH5YylLD5NRKLltdqwSvS0BnU=", [TOKEN])


@pytest.mark.parametrize(
    ("tokens", "good"),
    [
        (["new", TOKEN], True),
        ([TOKEN, "new"], True),
        (["new"], False),
        ([], False),
    ],
)
def test_two_tokens_while_one_is_changed(tokens, good):
    form = [("Body", "halo")]
    url = "https://bot.example/webhooks/twilio/sms"
    assert twilio_forms.verify(url, form, signature_of(url, form), tokens) is good


def test_an_empty_token_opens_nothing():
    url = "https://bot.example/"
    assert not twilio_forms.verify(url, [], signature_of(url, [], ""), [""])


@pytest.mark.parametrize("signature", ["", "x", "é", "\ud800"])
def test_nonsense_is_no_signature(signature):
    assert not twilio_forms.verify("https://bot.example/", [], signature, [TOKEN])


def test_a_repeated_value_is_signed_once():
    form = [("A", "2"), ("A", "1"), ("A", "2")]
    url = "https://bot.example/"
    assert twilio_forms.verify(url, form, signature_of(url, form), [TOKEN])


def test_bytes_that_are_no_text_are_signed_as_they_came():
    form = twilio_forms.pairs(b"Body=%ff%ED%A0%80")
    assert form[0][1].encode("utf-8", "surrogateescape") == b"\xff\xed\xa0\x80"
    assert not twilio_forms.verify("https://bot.example/", form, "x", [TOKEN])


@pytest.mark.parametrize(
    ("public_url", "query", "url"),
    [
        ("https://bot.example", "", "https://bot.example/w"),
        ("https://bot.example/", "", "https://bot.example/w"),
        ("https://bot.example/#rc=3", "", "https://bot.example/w"),
        ("https://bot.example/sub", "a=1", "https://bot.example/sub/w?a=1"),
    ],
)
def test_the_signed_address_comes_from_the_configuration(public_url, query, url):
    assert twilio_forms.signed_address(public_url, "/w", query) == url
