import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.interop.wire import Message, fixed_field, integer_field, message_field, read_varint, varint


@pytest.mark.parametrize(("value", "raw"), [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02")])
def test_numbers_of_the_specification(value: int, raw: str) -> None:
    """150 and 300 are protobuf.dev's own examples."""
    assert varint(value).hex() == raw
    assert read_varint(bytes.fromhex(raw), 0) == (value, len(raw) // 2)
    assert integer_field(1, 150).hex() == "089601"


@given(st.integers(0, 2**63 - 1), st.binary(max_size=5))
def test_numbers_come_back(value: int, before: bytes) -> None:
    raw = before + varint(value)
    assert read_varint(raw, len(before)) == (value, len(raw))


def test_fields_come_back_and_unknown_ones_are_passed_over() -> None:
    inner = integer_field(1, 7) + b"\x11" + bytes(8) + fixed_field(6, 0xDEADBEEF)
    message = Message(message_field(2, inner) + integer_field(3, 2**40) + message_field(2, b""))
    first, second = message.messages(2)
    assert (first.integer(1), first.integer(6), second.integer(1)) == (7, 0xDEADBEEF, 0)
    assert (message.integer(3), message.integer(9), message.messages(9)) == (2**40, 0, [])


@pytest.mark.parametrize("raw", ["08", "0880", "1205aa", "0d0000", "0b", "08" + "80" * 10 + "01"])
def test_bytes_that_are_no_message(raw: str) -> None:
    with pytest.raises(ValueError, match=r"cut off|does not exist"):
        Message(bytes.fromhex(raw))
