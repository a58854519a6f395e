"""Repeatable pseudo-random numbers: the same number and salt always give the same result."""

from __future__ import annotations

from typing import Final

WORD: Final = (1 << 64) - 1
_ROUNDS: Final = 4


def mix(number: int, salt: int) -> int:
    """One of 2**64 values; for one salt no two numbers give the same (splitmix64's finish)."""
    value = (number + salt) & WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WORD
    return value ^ (value >> 31)


class Shuffle:
    """A random permutation of `range(size)`, computed element by element.

    A Feistel network over the next power of four, applied again until the result is below the size.
    """

    def __init__(self, size: int, salt: int) -> None:
        self.size = size
        self._half = max((max(size - 1, 1).bit_length() + 1) // 2, 1)
        self._mask = (1 << self._half) - 1
        self._salts = [mix(each, salt) for each in range(_ROUNDS)]

    def __getitem__(self, place: int) -> int:
        """The element at `place`; IndexError past the end."""
        if not 0 <= place < self.size:
            raise IndexError(place)
        value = self._turn(place)
        while value >= self.size:
            value = self._turn(value)
        return value

    def _turn(self, value: int) -> int:
        left, right = value >> self._half, value & self._mask
        for salt in self._salts:
            left, right = right, left ^ (mix(right, salt) & self._mask)
        return left << self._half | right
