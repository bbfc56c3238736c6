# SPDX-License-Identifier: Apache-2.0
"""The strict JSON reader of the core, through att_pcs_open: whatever stands in the object there is read and judged to its last byte.

The oracle is json.loads, held to the same strictness by its hooks. The lists by hand follow RFC 8259 section by section, in the manner of
JSONTestSuite: what must be refused, what must be accepted.
"""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest
from core_collateral import Found, found
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attestcore._native import ffi, lib

NAME = "tcbEvaluationDataNumbers"
SIGNATURE = bytes(range(64))
MALFORMED = "collateral-malformed"
LIMIT = "collateral-too-large"
HEAD = b'{"' + NAME.encode() + b'":'
TAIL = b',"signature":"' + SIGNATURE.hex().encode() + b'"}'

MAX_BYTES = lib.ATT_JSON_MAX_BYTES
MAX_DEPTH = lib.ATT_JSON_MAX_DEPTH
MAX_NAMES = 96


def open_response(body: bytes, name: str = NAME) -> tuple[bytes, bytes] | Found:
    """Object and signature, or the finding."""
    span = ffi.new("att_span *")
    signature = ffi.new("uint8_t[64]")
    error = ffi.new("att_finding *")
    memory = ffi.new("uint8_t[]", body) if body else ffi.NULL
    if lib.att_pcs_open(memory, len(body), name.encode(), span, signature, error):
        assert found(error[0]).code == "pass"
        return body[span.offset :][: span.len], bytes(signature)
    assert 0 <= error.offset <= len(body)
    assert error.code > 1
    return found(error[0])


def refusal(body: bytes, name: str = NAME) -> Found:
    outcome = open_response(body, name)
    assert isinstance(outcome, Found), "accepted"
    return outcome


def judge_value(value: bytes) -> Found | None:
    """None when the reader accepts this value as a member's; findings count from the value's first byte."""
    head = HEAD + b'{"x":'
    outcome = open_response(head + value + b"}" + TAIL)
    if isinstance(outcome, Found):
        return Found(outcome.code, outcome.field, outcome.offset - len(head))
    assert outcome == (b'{"x":' + value + b"}", SIGNATURE)
    return None


# ---- the oracle ------------------------------------------------------------------------------------------------------------


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a name twice")
    return out


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _measure(value: Any, depth: int = 1, names: int = 0) -> tuple[int, int]:
    """Deepest nesting, and most names open at one time."""
    if isinstance(value, dict):
        inner = [_measure(v, depth + 1, names + i + 1) for i, v in enumerate(value.values())]
    elif isinstance(value, list):
        inner = [_measure(v, depth + 1, names) for v in value]
    else:
        return depth - 1, names
    return max([depth, *(d for d, _ in inner)]), max([names, *(n for _, n in inner)])


def _no_surrogates(value: Any) -> None:
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def allowed(value: bytes) -> bool:
    """Whether a value is good JSON by the oracle, two levels down."""
    try:
        text = value.decode("utf-8")
        parsed = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
        _no_surrogates(parsed)
    except (ValueError, RecursionError):
        return False
    depth, names = _measure(parsed, depth=3, names=2)
    return depth <= MAX_DEPTH and names <= MAX_NAMES


def response_allowed(whole: bytes) -> bool:
    """The same for a whole response."""
    try:
        parsed = json.loads(whole.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
        _no_surrogates(parsed)
    except (ValueError, RecursionError):
        return False
    depth, names = _measure(parsed)
    good = isinstance(parsed, dict) and set(parsed) == {NAME, "signature"} and isinstance(parsed[NAME], dict)
    return good and parsed["signature"] == SIGNATURE.hex() and depth <= MAX_DEPTH and names <= MAX_NAMES


# ---- by hand ---------------------------------------------------------------------------------------------------------------

GOOD = [
    b'null', b'true', b'false', b'0', b'-0', b'-1', b'12', b'1.5', b'-0.0', b'0e0', b'1E2', b'1e+2', b'1e-02',
    b'123456789012345678901234567890', b'""', b'"a"', b'" "', b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\u0061"',
    b'"\\u0000"', b'"\\uD834\\uDD1E"', b'"\\ud834\\udd1e"', b'"\x7f"', b'"\\u2028"', b'"\xe2\x80\xa8"', b'"\xc3\xa9"',
    b'"\xe2\x82\xac"', b'"\xf0\x9d\x84\x9e"', b'"\xf4\x8f\xbf\xbf"', b'"\xee\x80\x80"', b'"\xed\x9f\xbf"',
    b'"\xef\xbf\xbf"', b'"\xef\xbb\xbf"', b'"\\uFFFF"', b'"\\uE000"', b'"\\uD7FF"', b'"/*c*/ // #"', b'"a\\\\"',
    b'[]', b'{}', b'[1]', b'[ ]', b'{ }', b'[1,2]', b'[ 1 , 2 ]', b'[[],[[]]]', b'[{}]', b'{"":0}',
    b'{"a":1,"b":[{"a":2}]}', b'{"a":{"a":{"a":0}}}', b' \t\r\n1 \t\r\n', b'{"\\u0000":1,"":2}', b'{"a":1,"A":2}',
    b'{"\xc3\xa9":1,"e\xcc\x81":2}', b'["\\n"]', b'[null,1,"1",{}]',
]  # fmt: skip

BAD = [
    b'', b' ', b'nul', b'nulll', b'Null', b'TRUE', b'True', b'tru', b'fals', b'NaN', b'Infinity', b'-Infinity', b'-',
    b'+1', b'01', b'-01', b'00', b'1.', b'.5', b'-.5', b'1.e1', b'1e', b'1e+', b'1e-', b'1E+-2', b'0x10', b'1_000',
    b'1 000', b'1,', b'2.e3', b'0.1.2', b'1a', b'--1', b'-a', b'\xef\xbc\x91', b"'a'", b'a', b'"', b'"a', b'"\\',
    b'"\\"', b'"\\x41"', b'"\\a"', b'"\\u"', b'"\\u004"', b'"\\u00G0"', b'"\\U0041"', b'"\\0"', b'"\\ "', b'"\\\x00"',
    b'"\\uD834"', b'"\\uDD1E"', b'"\\uD834\\uD834"', b'"\\uD834a"', b'"\\uD834\\n"', b'"\\uDD1E\\uD834"',
    b'"\\uD834\\u0041"', b'"\\uD834\\"', b'"\x00"', b'"\x1f"', b'"\n"', b'"\t"', b'"\x80"', b'"\xff"', b'"\xfe"',
    b'"\xc0\x80"', b'"\xc0\xaf"', b'"\xc1\xbf"', b'"\xe0\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xf0\x80\x80\x80"',
    b'"\xf0\x8f\xbf\xbf"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
    b'"\xf8\x88\x80\x80\x80"', b'"\xc3"', b'"\xe2\x82"', b'"\xf0\x9d\x84"', b'"\xc3a"', b'"\xe2a\xac"',
    b'"\xe2\x82a"', b'"\xe9"', b'\xef\xbb\xbf1', b'\xff\xfe1\x00', b'[', b']', b'[1', b'[1,', b'[,', b'[,1]', b'[1,]',
    b'[1,,2]', b'[1 2]', b'[1;2]', b'[1}', b'[}', b'{', b'{]', b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}',
    b'{,"a":1}', b'{"a" 1}', b'{"a"::1}', b'{"a"=1}', b'{a:1}', b'{1:1}', b"{'a':1}", b'{null:1}', b'{"a":}',
    b'{"a":1 "b":2}', b'{"a":1;"b":2}', b'{"a":1]', b'{"a"}', b'1 2', b'1]', b'{}}', b'[]]', b'1//c', b'/*c*/1',
    b'1#c', b'\x001', b'1\x00', b'\x0b1', b'\x0c1', b'\xc2\xa01', b'\xe2\x80\xa81', b'\xe2\x81\xa01', b'<1>',
    b'[\x00]', b'undefined', b'*', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"\\u0061":1,"\\u0061":2}',
    b'{"":1,"":2}', b'{"\xc3\xa9":1,"\\u00e9":2}', b'{"\\n":1,"\\u000A":2}', b'{"/":1,"\\/":2}',
    b'{"\xf0\x9d\x84\x9e":1,"\\ud834\\udd1e":2}', b'{"a":{"b":1,"b":2}}', b'[{"b":1,"c":0,"b":2}]',
    b'{"\\"":1,"\\u0022":2}', b'{"a\\u0000":1,"\\u0061\\u0000":2}', b'{"\\b":0,"\\u0008":0}',
    b'{"\\f":0,"\\u000c":0}', b'{"\\r":0,"\\u000d":0}', b'{"\\t":0,"\\u0009":0}', b'{"\\\\":0,"\\u005c":0}',
    b'{"\xe2\x82\xac":0,"\\u20AC":0}',
]  # fmt: skip


@pytest.mark.parametrize("value", GOOD, ids=repr)
def test_accepted(value: bytes) -> None:
    assert judge_value(value) is None
    assert allowed(value), "the oracle disagrees with the list"


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_refused(value: bytes) -> None:
    outcome = judge_value(value)
    assert outcome is not None, "accepted"
    assert (outcome.code, outcome.field) == (MALFORMED, "collateral")
    assert not allowed(value), "the oracle disagrees with the list"


@pytest.mark.parametrize(
    ("value", "offset"),
    [
        (b"[1,]", 3), (b"[1 2]", 3), (b"01", 1), (b"1.x", 2), (b"nul", 3), (b'"\\x41"', 2), (b'"\\u00G0"', 5), (b'"a\x01"', 2),
        (b'"ab\xff"', 3), (b'"\\uD834"', 7), (b'"\\uDD1E"', 3), (b'{"a":1,"b":2,"a":3}', 14), (b'{"a":1 "b":2}', 7), (b"[[[}]]]", 3),
    ],
)  # fmt: skip
def test_finding_points_at_the_byte(value: bytes, offset: int) -> None:
    assert judge_value(value) == Found(MALFORMED, "collateral", offset)


# ---- against the oracle ----------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(values, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")]))
def test_what_is_written_well_is_accepted(value: Any, ascii_only: bool, separators: tuple[str, str]) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()
    assert (judge_value(text) is None) == allowed(text)
    assert allowed(text) or _measure(value, depth=3)[0] > MAX_DEPTH


TOKENS = [*'{}[]":,\\/ue0123456789.+-Eatrlsnf \n\t', '"a"', '"b":', "\\u00", "\\ud834", "true", "\x00", "é"]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=14))
@example(list("[1,]"))
@example(['1,"c":2'])
def test_any_mix_of_tokens(tokens: list[str]) -> None:
    whole = HEAD + b'{"x":' + "".join(tokens).encode() + b"}" + TAIL
    assert (not isinstance(open_response(whole), Found)) == response_allowed(whole)


@settings(max_examples=400, deadline=None)
@given(values, st.data())
def test_changed_anywhere_it_is_still_judged_as_the_oracle_does(value: Any, data: st.DataObject) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        what = data.draw(st.sampled_from(["flip", "drop", "double", "byte"]))
        if what == "flip" and at < len(text):
            text[at] ^= 1 << data.draw(st.integers(0, 7))
        elif what == "drop":
            del text[at : at + 1]
        elif what == "double":
            text[at:at] = text[at : at + 3]
        else:
            text[at:at] = bytes([data.draw(st.integers(0, 255))])
    whole = HEAD + b'{"x":' + bytes(text) + b"}" + TAIL
    assert (not isinstance(open_response(whole), Found)) == response_allowed(whole)


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes(raw: bytes) -> None:
    outcome = open_response(raw)
    assert isinstance(outcome, Found)
    assert outcome.code == MALFORMED


# ---- bounds ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_depth(brackets: tuple[str, str]) -> None:
    opening, closing = brackets

    def nested(n: int) -> bytes:
        return (opening * n + "0" + closing * n).encode()

    most = MAX_DEPTH - 2
    assert judge_value(nested(most)) is None
    assert judge_value(nested(most + 1)) == Found(LIMIT, "collateral", len(opening) * most)
    bomb = judge_value(opening.encode() * (500_000 // len(opening)))
    assert bomb == Found(LIMIT, "collateral", len(opening) * most)


def test_many_elements_are_no_depth() -> None:
    assert judge_value(b"[" + b"[]," * 200_000 + b"[]]") is None
    assert judge_value(b"[" + b'{"a":1},' * 100_000 + b"0]") is None


def test_names_open_at_one_time() -> None:
    def members(n: int) -> bytes:
        return ("{" + ",".join(f'"n{i}":0' for i in range(n)) + "}").encode()

    free = MAX_NAMES - 2  # two stand around the value
    assert judge_value(members(free)) is None
    over = judge_value(members(free + 1))
    assert over is not None
    assert over.code == LIMIT
    # names of objects that are closed do not count
    assert judge_value(b"[" + b",".join([members(free)] * 50) + b"]") is None


def test_size() -> None:
    frame = len(HEAD + b'{"x":""}' + TAIL)
    long = b'"' + b"a" * (MAX_BYTES - frame) + b'"'
    assert judge_value(long) is None
    assert judge_value(long + b" ") == Found(LIMIT, "collateral", -len(HEAD) - 5)
    escaped = b'"' + b"\\u00e9" * ((MAX_BYTES - frame) // 6) + b'"'
    assert judge_value(escaped) is None
    assert judge_value(b'"' + "€".encode() * ((MAX_BYTES - frame) // 3) + b'"') is None


@pytest.mark.parametrize("response", [HEAD + b'{"a":[1,{"b":"\\u0041\xc3\xa9"}],"c":-1.5e3}' + TAIL])
def test_cut_at_every_byte(response: bytes) -> None:
    assert not isinstance(open_response(response), Found)
    for end in range(len(response)):
        outcome = refusal(response[:end])
        assert outcome.code == MALFORMED
        assert outcome.offset <= end


def test_nothing_before_or_behind() -> None:
    body = HEAD + b"{}" + TAIL
    assert not isinstance(open_response(b" \r\n\t" + body + b"\n "), Found)
    for behind in (b"\0", b"x", b"{}", b",", b"]", b"}", b"\xef\xbb\xbf"):
        assert refusal(body + behind) == Found(MALFORMED, "collateral", len(body))
    for before in (b"\0", b"\xef\xbb\xbf", b"{}", b"\xff\xfe", b","):
        assert refusal(before + body).code == MALFORMED


# ---- the response itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field", "signature_field"),
    [
        ("tcbInfo", "tcbInfo", "tcbInfo signature"),
        ("enclaveIdentity", "enclaveIdentity", "enclaveIdentity signature"),
        ("tcbEvaluationDataNumbers", "collateral", "collateral"),
    ],
)
class TestResponse:
    @staticmethod
    def body(name: str, value: str = '{"a":1}', signature: str = SIGNATURE.hex()) -> bytes:
        return f'{{"{name}":{value},"signature":"{signature}"}}'.encode()

    def test_verbatim(self, name: str, field: str, signature_field: str) -> None:
        odd = '{ "b" : [ 1 ,2],\n"a":"\\u0041é" }'
        assert open_response(self.body(name, odd), name) == (odd.encode(), SIGNATURE)
        turned = f' {{ "signature" : "{SIGNATURE.hex().upper()}" , "{name}" : {odd} }} '.encode()
        assert open_response(turned, name) == (odd.encode(), SIGNATURE)

    def test_name_inside_a_string_or_deeper_is_not_it(self, name: str, field: str, signature_field: str) -> None:
        decoy = f'{{"x":"\\"{name}\\":{{\\"evil\\":1}}","{name}":{{"evil":2}},"signature":"zz"}}'
        assert open_response(self.body(name, decoy), name) == (decoy.encode(), SIGNATURE)

    def test_escaped_name_is_the_name(self, name: str, field: str, signature_field: str) -> None:
        spelt = "".join(f"\\u{ord(c):04x}" for c in name)
        assert open_response(self.body(spelt), name) == (b'{"a":1}', SIGNATURE)
        twice = f'{{"{name}":{{}},"{spelt}":{{}},"signature":"{SIGNATURE.hex()}"}}'.encode()
        assert refusal(twice, name).code == MALFORMED

    @pytest.mark.parametrize("wrong", ["null", "1", '"x"', "[]", '[{"a":1}]', "true"])
    def test_no_object(self, name: str, field: str, signature_field: str, wrong: str) -> None:
        assert refusal(self.body(name, wrong), name) == Found(MALFORMED, field, len(name) + 4)

    @pytest.mark.parametrize("length", [0, 1, 126, 127, 129, 130])
    def test_signature_length(self, name: str, field: str, signature_field: str, length: int) -> None:
        outcome = refusal(self.body(name, signature="a" * length), name)
        assert (outcome.code, outcome.field) == (MALFORMED, signature_field)

    @pytest.mark.parametrize("wrong", ["g", " ", "é", "\\u0061", "-", "+", "\\n", "/", ":", "@", "G", "`"])
    def test_signature_digits(self, name: str, field: str, signature_field: str, wrong: str) -> None:
        for at in (0, 1, 127):
            text = SIGNATURE.hex()
            outcome = refusal(self.body(name, signature=text[:at] + wrong + text[at + 1 :]), name)
            assert (outcome.code, outcome.field) == (MALFORMED, signature_field)

    @pytest.mark.parametrize("wrong", ["null", "1", "[]", "{}", "true"])
    def test_signature_type(self, name: str, field: str, signature_field: str, wrong: str) -> None:
        outcome = refusal(f'{{"{name}":{{}},"signature":{wrong}}}'.encode(), name)
        assert (outcome.code, outcome.field) == (MALFORMED, signature_field)

    def test_members(self, name: str, field: str, signature_field: str) -> None:
        signature = f'"signature":"{SIGNATURE.hex()}"'
        for body, at_field in (
            (f"{{{signature}}}", field),
            (f'{{"{name}":{{}}}}', signature_field),
            ("{}", field),
        ):
            assert refusal(body.encode(), name) == Found(MALFORMED, at_field, 0)
        for extra in (
            '"x":1,',
            '"Signature":"",',
            f'"{name.upper()}":{{}},',
            '"\\u0053ignature":"",',
            '"":0,',
            '"\u017fignature":1,',
        ):
            assert refusal(f'{{{extra}"{name}":{{}},{signature}}}'.encode(), name) == Found(MALFORMED, "collateral", 2)
        assert refusal(f'{{"{name}":{{}},"{name}":{{}},{signature}}}'.encode(), name).code == MALFORMED
        assert refusal(f'{{"{name}":{{}},{signature},{signature}}}'.encode(), name).code == MALFORMED

    def test_another_name(self, name: str, field: str, signature_field: str) -> None:
        assert refusal(self.body(name + "s"), name).code == MALFORMED
        assert refusal(self.body(name[:-1]), name).code == MALFORMED

    @pytest.mark.parametrize("whole", ["[]", "null", "1", '"x"', "", " "])
    def test_no_response(self, name: str, field: str, signature_field: str, whole: str) -> None:
        assert refusal(whole.encode(), name).code == MALFORMED


def test_long_s_is_a_letter_of_a_known_name() -> None:
    for name in ("\u017fignature", "\\u017fignature"):
        body = f'{{"{NAME}":{{}},"{name}":"","signature":"{SIGNATURE.hex()}"}}'
        assert refusal(body.encode()).code == MALFORMED


def test_hostile_names_cost_little() -> None:
    """Names that differ late, as many as are allowed, in objects as many as fit: work stays linear in the text."""
    rng = random.Random(1)
    names = ["".join(rng.choices(string.ascii_letters, k=3)) + f"{i:02}" for i in range(MAX_NAMES - 2)]
    one = ("{" + ",".join(f'"\\u0061{n}":0' for n in names) + "}").encode()
    text = b"[" + b",".join([one] * (900_000 // len(one))) + b"]"
    assert judge_value(text) is None
