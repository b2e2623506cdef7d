"""The encoding kernel: runs the op table of a program backwards, from records to bits (see `program`, `plan`)."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.codec.batch_decode import admitted
from cloverleaf.link.codec.bits import read_bits, text_valid, write_bits
from cloverleaf.link.codec.program import FIELD, MAX_DEPTH, STRIDE

_LIMIT = 3 * MAX_DEPTH
FULL = -1
"""Code of `encode_one`: the buffer is too small."""


@kernel
def write_run(buffer, position, fields, first, count, out, o):  # type: ignore[no-untyped-def]
    """Write `count` fields at `position`; the new position, or -1 - position if a value was out of range."""
    bad = False
    for j in range(first * FIELD, (first + count) * FIELD, FIELD):
        present = (out[o * fields[j + 4] + fields[j + 5]] >> fields[j + 6]) & 1
        width = fields[j] * present
        value = np.uint64(out[o + fields[j + 3]] - fields[j + 1]) * np.uint64(present)
        bad |= value > np.uint64(fields[j + 2])
        position = write_bits(buffer, position, value, width)
    return -1 - position if bad else position


@kernel
def write_length(buffer, position, count):  # type: ignore[no-untyped-def]
    """General length determinant of `count` < 16384."""
    if count < 128:
        return write_bits(buffer, position, np.uint64(count), 8)
    return write_bits(buffer, position, np.uint64(0x8000 | count), 16)


@kernel
def write_size(buffer, position, count, low, width, high, extensible, ranges, first, spans):  # type: ignore[no-untyped-def]
    """Length of a string or list; the new position, or -1 if the length is not allowed."""
    inside = count >= low and (high < 0 or count <= high)
    if count >= 16384 or (not inside and (not extensible or not admitted(count, ranges, first, spans))):
        return np.int64(-1)
    if extensible:
        position = write_bits(buffer, position, np.uint64(0 if inside else 1), 1)
        if not inside:
            return write_length(buffer, position, count)
    if width < 0:
        return write_length(buffer, position, count)
    return write_bits(buffer, position, np.uint64(count - low), width)


@kernel
def write_octets(buffer, position, value):  # type: ignore[no-untyped-def]
    """An integer as the fewest octets in two's complement, behind their number."""
    octets = np.int64(1)
    while octets < 8 and (value >> (8 * octets - 1)) != 0 and (value >> (8 * octets - 1)) != -1:
        octets += 1
    position = write_bits(buffer, position, np.uint64(octets), 8)
    return write_bits(buffer, position, np.uint64(value) & (~np.uint64(0) >> np.uint64(64 - 8 * octets)), 8 * octets)


@kernel
def write_semi(buffer, position, value):  # type: ignore[no-untyped-def]
    """A non-negative integer as the fewest octets, behind their number."""
    octets = np.int64(1)
    while octets < 8 and (value >> (8 * octets)) != 0:
        octets += 1
    position = write_bits(buffer, position, np.uint64(octets), 8)
    return write_bits(buffer, position, np.uint64(value), 8 * octets)


@kernel
def copy_bits(heap, source, buffer, position, width):  # type: ignore[no-untyped-def]
    """Copy `width` bits between buffers; the new position."""
    done = np.int64(0)
    while done < width:
        step = min(np.int64(48), width - done)
        position = write_bits(buffer, position, read_bits(heap, source + done, step), step)
        done += step
    return position


@kernel
def encode_one(program, out, base, used, row, heap, heap_bits, buffer, position, stack):  # type: ignore[no-untyped-def]
    """The message of row `row` at bit `position`; (code, new position), code -1 if the buffer is full."""
    ops, fields, jumps, ranges, widths = program.ops, program.fields, program.jumps, program.ranges, program.widths
    room = len(buffer) * 8 - program.run_bits - 512
    o = base[0] + row * widths[0]
    pc = np.int64(0)
    top = np.int64(0)
    while True:
        if position > room:
            return np.int64(FULL), position
        if top + 2 > _LIMIT:
            return np.int64(7), position
        at = pc * STRIDE
        op = ops[at]
        a = ops[at + 1]
        b = ops[at + 2]
        c = ops[at + 3]
        pc += 1
        if op == 1:  # RUN
            position = write_run(buffer, position, fields, a, b, out, o)
            if position < 0:
                return np.int64(2), -1 - position
        elif op == 2:  # OPT
            if not (out[o + a] >> b) & 1:
                pc = c
        elif op == 3:  # JUMP
            pc = a
        elif op == 4:  # LIST
            table = ops[at + 6]
            child = out[o + a]
            count = out[o + a + 1]
            if count < 0 or child < 0 or child + count > used[table]:
                return np.int64(3), position
            moved = write_size(
                buffer, position, count, b, c, ops[at + 4], ops[at + 5], ranges, ops[at + 8], ops[at + 9]
            )
            if moved < 0:
                return np.int64(7 if count >= 16384 else 3), position
            position = moved
            if count == 0:
                pc = ops[at + 7]
            else:
                stack[top] = o
                stack[top + 1] = count
                top += 2
                o = base[table] + child * widths[table]
        elif op == 5:  # LIST_END
            stack[top - 1] -= 1
            if stack[top - 1] > 0:
                o += b
                pc = a
            else:
                top -= 2
                o = stack[top]
        elif op == 6:  # SUB
            child = out[o + a]
            if child < 0 or child >= used[b]:
                return np.int64(3), position
            stack[top] = o
            top += 1
            o = base[b] + child * widths[b]
        elif op == 7:  # SUB_END
            top -= 1
            o = stack[top]
        elif op == 8 or op == 17:  # OPEN, TABLE: the content is written ahead, its length is not known yet
            row_of_type = np.int64(0)
            if op == 17:
                row_of_type = out[o + a]
                known = np.int64(-1)
                for k in range(ops[at + 4]):
                    if jumps[2 * (c + k)] == out[o + b]:
                        known = np.int64(k)
                if known != row_of_type:
                    return np.int64(4), position
            if row_of_type < 0:
                child = out[o + a + 1]
                count = out[o + a + 2]
                if child < 0 or count < 0 or count >= 16384 or child + 8 * count > heap_bits:
                    return np.int64(3), position
                if position + 8 * count > room:
                    return np.int64(FULL), position
                if count == 0:  # as an open type, an empty value is one zero octet
                    position = write_bits(buffer, position, np.uint64(0x100), 16)
                else:
                    position = write_length(buffer, position, count)
                    position = copy_bits(heap, child, buffer, position, 8 * count)
                pc = ops[at + 5]
            else:
                stack[top] = position
                top += 1
                position = ((position + 7) >> 3 << 3) + 64
                buffer[position >> 3] = 0
                if op == 17:
                    pc = jumps[2 * (c + row_of_type) + 1]
        elif op == 9:  # OPEN_END
            top -= 1
            begin = stack[top]
            content = ((begin + 7) >> 3 << 3) + 64
            octets = max(np.int64(1), (position - content + 7) >> 3)
            if octets >= 16384:
                return np.int64(7), position
            if position & 7:  # clear the pad bits
                position = write_bits(buffer, position, np.uint64(0), 8 - (position & 7))
            elif position == content:
                position = write_bits(buffer, position, np.uint64(0), 8)
            position = write_length(buffer, begin, octets)
            position = copy_bits(buffer, content, buffer, position, 8 * octets)
        elif op == 10:  # CHOICE
            chosen = out[o + a]
            if chosen < 0 or chosen >= c + ops[at + 6]:
                return np.int64(4), position
            if ops[at + 5]:
                position = write_bits(buffer, position, np.uint64(chosen >= c), 1)
            if chosen >= c:
                position = write_bits(buffer, position, np.uint64(chosen - c), 7)
            else:
                position = write_bits(buffer, position, np.uint64(chosen), b)
            pc = jumps[ops[at + 4] + chosen]
        elif op == 11:  # EXTENSION
            if not (out[o + a] >> b) & 1:
                pc = ops[at + 5]
            else:
                known = out[o + ops[at + 4]]
                if known <= 0 or known >> c or c > 64:
                    return np.int64(2), position
                position = write_bits(buffer, position, np.uint64(c - 1), 7)
                position = write_bits(buffer, position, np.uint64(known), c)
        elif op == 13:  # NUMBER
            value = out[o + a]
            mode = ops[at + 5]
            inside = (mode == 2 or value >= c) and (mode > 0 or value <= ops[at + 4])
            if not inside and (not b or not admitted(value, ranges, ops[at + 7], ops[at + 8])):
                return np.int64(2), position
            if b:
                position = write_bits(buffer, position, np.uint64(not inside), 1)
            if not inside or mode == 2:
                position = write_octets(buffer, position, value)
            elif mode == 1:
                position = write_semi(buffer, position, value - c)
            else:
                position = write_bits(buffer, position, np.uint64(value - c), ops[at + 6])
        elif op == 14:  # NAME
            value = out[o + a]
            if value < 0 or value >= c + ops[at + 4]:
                return np.int64(2), position
            if value < c:
                position = write_bits(buffer, position, np.uint64(value), b + 1)
            else:
                position = write_bits(buffer, position, np.uint64(128 | (value - c)), 8)
        elif op == 15:  # FLAGS
            count = out[o + a + 1]
            value = np.uint64(out[o + a])
            if count < 0 or count > 64 or (count < 64 and value >> np.uint64(count)):
                return np.int64(3), position
            position = write_bits(buffer, position, np.uint64(count != b), 1)
            if count != b:
                position = write_length(buffer, position, count)
            position = write_bits(buffer, position, value, count)
        elif op == 16:  # TEXT
            child = out[o + a]
            count = out[o + a + 1]
            alphabet = ops[at + 9]
            low, high, extensible = c, ops[at + 5], ops[at + 6]
            if child < 0 or count < 0 or child + b * count > heap_bits:
                return np.int64(3), position
            if alphabet:
                characters = text_valid(heap, child, b, count, alphabet)
                if characters < 0:
                    return np.int64(5), position
                if alphabet == 2:
                    if characters < low or (high >= 0 and characters > high):
                        return np.int64(7), position
                    low, high, extensible = np.int64(0), np.int64(-1), np.int64(0)
            moved = write_size(
                buffer, position, count, low, ops[at + 4], high, extensible, ranges, ops[at + 7], ops[at + 8]
            )
            if moved < 0:
                return np.int64(7 if count >= 16384 else 3), position
            if moved + b * count > room:
                return np.int64(FULL), position
            position = copy_bits(heap, child, buffer, moved, b * count)
        elif op == 18:  # UNION
            if not admitted(out[o + a], ranges, b, c):
                return np.int64(2), position
        elif op == 21:  # FAIL
            return a, position
        elif op == 0:  # END
            return np.int64(0), position


@kernel
def encode_many(program, out, base, used, heap, heap_bits, first, last, buffer, start, stack, error):  # type: ignore[no-untyped-def]
    """Messages `first` to `last` into `buffer`; returns the next message, which is not the last if the buffer is full.

    A message with an error becomes an empty one. A message of no bits is one zero octet.
    """
    for i in range(first, last):
        begin = start[i] * 8
        if begin + program.run_bits + 512 > len(buffer) * 8:
            return np.int64(i)
        code, position = encode_one(program, out, base, used, np.int64(i), heap, heap_bits, buffer, begin, stack)
        if code == FULL:
            return np.int64(i)
        error[i] = code
        if code:
            start[i + 1] = start[i]
        else:
            if position & 7:
                position = write_bits(buffer, position, np.uint64(0), 8 - (position & 7))
            elif position == begin:
                position = write_bits(buffer, position, np.uint64(0), 8)
            start[i + 1] = position >> 3
    return np.int64(last)
