"""As much of the protocol buffers' wire format as TensorFlow's checkpoint index uses.

Source: protobuf.dev/programming-guides/encoding. A message is a row of fields, each a key (field number and wire type)
and a value: a varint, 4 or 8 bytes, or a length and so many bytes.
"""

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_FIXED = {_EIGHT: 8, _FOUR: 4}


class Message:
    """The fields of one message; those that nobody asks for are carried along unread."""

    def __init__(self, raw: bytes) -> None:
        """Take a message apart.

        Args:
            raw: its bytes.

        Raises:
            ValueError: they end within a field, or hold a kind of field that does not exist.
        """
        self._integers: dict[int, int] = {}
        self._parts: dict[int, list[bytes]] = {}
        place = 0
        while place < len(raw):
            key, place = read_varint(raw, place)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                self._integers[number], place = read_varint(raw, place)
            elif kind in _FIXED:
                end = _end(raw, place, _FIXED[kind])
                self._integers[number] = int.from_bytes(raw[place:end], "little")
                place = end
            elif kind == _LENGTH:
                length, place = read_varint(raw, place)
                end = _end(raw, place, length)
                self._parts.setdefault(number, []).append(raw[place:end])
                place = end
            else:
                raise ValueError(f"wire type {kind} does not exist")

    def integer(self, number: int) -> int:
        """Value of a number field; 0, protocol buffers' default, where it is not there."""
        return self._integers.get(number, 0)

    def messages(self, number: int) -> list["Message"]:
        """All messages in a field."""
        return [Message(part) for part in self._parts.get(number, [])]


def read_varint(raw: bytes, place: int) -> tuple[int, int]:
    """Read a number of 7 bits a byte, lowest first.

    Args:
        raw: the bytes.
        place: where the number begins.

    Returns:
        The number, and the place behind it.

    Raises:
        ValueError: the bytes end within it, or it is longer than 64 bits.
    """
    value = shift = 0
    while place < len(raw) and shift < 64:
        byte = raw[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("a number is cut off")


def varint(value: int) -> bytes:
    """Write a number that is not negative as :func:`read_varint` reads it."""
    raw = bytearray()
    while value >= 0x80:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*raw, value])


def integer_field(number: int, value: int) -> bytes:
    """Write a field with a number that is not negative."""
    return varint(number << 3 | _VARINT) + varint(value)


def fixed_field(number: int, value: int) -> bytes:
    """Write a field of 4 bytes."""
    return varint(number << 3 | _FOUR) + value.to_bytes(4, "little")


def message_field(number: int, message: bytes) -> bytes:
    """Write a field with a message in it."""
    return varint(number << 3 | _LENGTH) + varint(len(message)) + message


def _end(raw: bytes, place: int, length: int) -> int:
    if place + length > len(raw):
        raise ValueError("a field is cut off")
    return place + length
