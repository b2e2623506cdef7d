"""The decoding kernel: runs the op table of a program over many messages (see `program`, `plan`)."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.codec.bits import read_bits, text_valid, window
from cloverleaf.link.codec.program import FIELD, MAX_DEPTH, STRIDE

_LIMIT = 3 * MAX_DEPTH


@kernel
def read_run(buffer, position, fields, first, count, out, o):  # type: ignore[no-untyped-def]
    """Read `count` fields from `position`; the new position, or -1 - position if a value was out of range."""
    bad = False
    for j in range(first * FIELD, (first + count) * FIELD, FIELD):
        present = (out[o * fields[j + 4] + fields[j + 5]] >> fields[j + 6]) & 1
        width = fields[j] * present
        value = window(buffer, position) >> np.uint64((64 - width) & 63)
        value = value * np.uint64(width != 0)
        bad |= value > np.uint64(fields[j + 2])
        out[o + fields[j + 3]] = np.int64(value) + fields[j + 1]
        position += width
    return -1 - position if bad else position


@kernel
def admitted(count, ranges, first, spans):  # type: ignore[no-untyped-def]
    """Whether `count` is in one of the sub-ranges; with none, everything is."""
    for k in range(first, first + spans):
        if ranges[2 * k] <= count <= ranges[2 * k + 1]:
            return True
    return spans == 0


@kernel
def read_length(buffer, position, end):  # type: ignore[no-untyped-def]
    """General length determinant: (count, new position); count -1 truncated, -2 fragmented."""
    if position + 8 > end:
        return np.int64(-1), position
    head = np.int64(read_bits(buffer, position, 8))
    if head < 128:
        return head, position + 8
    if head >= 192:
        return np.int64(-2), position
    if position + 16 > end:
        return np.int64(-1), position
    return np.int64(read_bits(buffer, position + 2, 14)), position + 16


@kernel
def read_small(buffer, position, end):  # type: ignore[no-untyped-def]
    """Normally small number: (value, new position); -1 truncated, -2 for the long form."""
    if position + 7 > end:
        return np.int64(-1), position
    head = np.int64(read_bits(buffer, position, 7))
    if head >= 64:
        return np.int64(-2), position
    return head, position + 7


@kernel
def read_size(buffer, position, end, low, width, high, extensible, ranges, first, spans):  # type: ignore[no-untyped-def]
    """Length of a string or list: (count, new position); -1 truncated, -2 fragmented, -3 out of range."""
    if extensible:
        if position + 1 > end:
            return np.int64(-1), position
        marker = read_bits(buffer, position, 1)
        position += 1
        if marker:
            count, position = read_length(buffer, position, end)
            if (
                count >= 0
                and not (count >= low and (high < 0 or count <= high))
                and not admitted(count, ranges, first, spans)
            ):
                return np.int64(-3), position
            return count, position
    if width < 0:
        count, position = read_length(buffer, position, end)
        if count < 0:
            return count, position
    else:
        if position + width > end:
            return np.int64(-1), position
        count = np.int64(read_bits(buffer, position, width)) + low
        position += width
    if count < low or (high >= 0 and count > high):
        return np.int64(-3), position
    return count, position


@kernel
def read_octets(buffer, position, end, signed):  # type: ignore[no-untyped-def]
    """An integer behind its length in octets: (value, new position, code)."""
    count, position = read_length(buffer, position, end)
    if count <= 0:
        return np.int64(0), position, np.int64(2 if count == 0 else 1 if count == -1 else 7)
    if position + 8 * count > end:
        return np.int64(0), position, np.int64(1)
    if count > 8 or (count == 8 and not signed):
        return np.int64(0), position, np.int64(7)
    value = np.int64(read_bits(buffer, position, 8 * count))
    if signed and count < 8 and value >> (8 * count - 1):
        value -= np.int64(1) << (8 * count)
    return value, position + 8 * count, np.int64(0)


@kernel
def decode_one(program, buffer, position, end, out, base, rows, capacity, stack):  # type: ignore[no-untyped-def]
    """One message into the tables; (code, table that is full or -1). `rows` counts the rows used per table."""
    ops, fields, jumps, ranges, widths = program.ops, program.fields, program.jumps, program.ranges, program.widths
    o = base[0] + rows[0] * widths[0]
    rows[0] += 1
    pc = np.int64(0)
    top = np.int64(0)
    while True:
        at = pc * STRIDE
        op = ops[at]
        a = ops[at + 1]
        b = ops[at + 2]
        c = ops[at + 3]
        pc += 1
        if op == 1:  # RUN
            position = read_run(buffer, position, fields, a, b, out, o)
            if position < 0:
                position = -1 - position
                return np.int64(1 if position > end else 2), np.int64(-1)
            if position > end:
                return np.int64(1), np.int64(-1)
        elif op == 2:  # OPT
            if not (out[o + a] >> b) & 1:
                pc = c
        elif op == 3:  # JUMP
            pc = a
        elif op == 4:  # LIST
            table = ops[at + 6]
            size = read_size(buffer, position, end, b, c, ops[at + 4], ops[at + 5], ranges, ops[at + 8], ops[at + 9])
            count, position = size
            if count < 0:
                return np.int64(1 if count == -1 else 7 if count == -2 else 3), np.int64(-1)
            if rows[table] + count > capacity[table]:
                return np.int64(-1), table
            out[o + a] = rows[table]
            out[o + a + 1] = count
            if count == 0:
                pc = ops[at + 7]
            else:
                if top + 2 > _LIMIT:
                    return np.int64(7), np.int64(-1)
                stack[top] = o
                stack[top + 1] = count
                top += 2
                o = base[table] + rows[table] * widths[table]
                rows[table] += count
        elif op == 5:  # LIST_END
            stack[top - 1] -= 1
            if stack[top - 1] > 0:
                o += b
                pc = a
            else:
                top -= 2
                o = stack[top]
        elif op == 6:  # SUB
            if rows[b] >= capacity[b]:
                return np.int64(-1), b
            if top + 1 > _LIMIT:
                return np.int64(7), np.int64(-1)
            out[o + a] = rows[b]
            stack[top] = o
            top += 1
            o = base[b] + rows[b] * widths[b]
            rows[b] += 1
        elif op == 7:  # SUB_END
            top -= 1
            o = stack[top]
        elif op == 8:  # OPEN
            count, position = read_length(buffer, position, end)
            if count < 0 or position + 8 * count > end:
                return np.int64(7 if count == -2 else 1), np.int64(-1)
            if top + 1 > _LIMIT:
                return np.int64(7), np.int64(-1)
            stack[_LIMIT + 1] = 1
            stack[top] = end
            top += 1
            end = position + 8 * count
        elif op == 9:  # OPEN_END
            position = end
            top -= 1
            end = stack[top]
        elif op == 10:  # CHOICE
            chosen = np.int64(-1)
            if ops[at + 5]:
                if position + 1 > end:
                    return np.int64(1), np.int64(-1)
                position += 1
                if read_bits(buffer, position - 1, 1):
                    chosen, position = read_small(buffer, position, end)
                    if chosen < 0 or chosen >= ops[at + 6]:
                        return np.int64(1 if chosen == -1 else 7 if chosen == -2 else 4), np.int64(-1)
                    chosen += c
            if chosen < 0:
                if position + b > end:
                    return np.int64(1), np.int64(-1)
                chosen = np.int64(read_bits(buffer, position, b))
                position += b
                if chosen >= c:
                    return np.int64(4), np.int64(-1)
            out[o + a] = chosen
            pc = jumps[ops[at + 4] + chosen]
        elif op == 11:  # EXTENSION
            if not (out[o + a] >> b) & 1:
                pc = ops[at + 5]
            else:
                count, position = read_small(buffer, position, end)
                if count < 0:
                    return np.int64(1 if count == -1 else 7), np.int64(-1)
                count += 1
                if position + count > end:
                    return np.int64(1), np.int64(-1)
                bitmap = np.int64(read_bits(buffer, position, count))
                position += count
                known = bitmap << (c - count) if count <= c else (bitmap >> 1) >> (count - c - 1)
                unknown = np.int64(0)
                for k in range(max(count - c, 0)):
                    unknown += (bitmap >> k) & 1
                out[o + ops[at + 4]] = known
                out[o + ops[at + 4] + 1] = unknown
                if known == 0:
                    out[o + a] &= ~(np.int64(1) << b)
        elif op == 12:  # SKIP
            for _ in range(out[o + c + 1]):
                count, position = read_length(buffer, position, end)
                if count < 0 or position + 8 * count > end:
                    return np.int64(7 if count == -2 else 1), np.int64(-1)
                position += 8 * count
        elif op == 13:  # NUMBER
            outside = False
            if b:
                if position + 1 > end:
                    return np.int64(1), np.int64(-1)
                outside = read_bits(buffer, position, 1) != 0
                position += 1
            code = np.int64(0)
            if outside or ops[at + 5] > 0:
                value, position, code = read_octets(buffer, position, end, outside or ops[at + 5] == 2)
                if not outside and ops[at + 5] == 1:
                    value += c
                if outside and code == 0 and not admitted(value, ranges, ops[at + 7], ops[at + 8]):
                    code = np.int64(2)
            else:
                width = ops[at + 6]
                raw = read_bits(buffer, position, width)
                position += width
                value = np.int64(raw) + c
                if position > end:
                    code = np.int64(1)
                elif raw > np.uint64(ops[at + 4]) - np.uint64(c):
                    code = np.int64(2)
            if code:
                return code, np.int64(-1)
            out[o + a] = value
        elif op == 14:  # NAME
            if position + 1 > end:
                return np.int64(1), np.int64(-1)
            if read_bits(buffer, position, 1):
                value, position = read_small(buffer, position + 1, end)
                if value < 0 or value >= ops[at + 4]:
                    return np.int64(1 if value == -1 else 2), np.int64(-1)
                value += c
            else:
                value = np.int64(read_bits(buffer, position + 1, b))
                position += 1 + b
                if position > end or value >= c:
                    return np.int64(1 if position > end else 2), np.int64(-1)
            out[o + a] = value
        elif op == 15:  # FLAGS
            if position + 1 > end:
                return np.int64(1), np.int64(-1)
            count = b
            position += 1
            if read_bits(buffer, position - 1, 1):
                count, position = read_length(buffer, position, end)
                if count < 0:
                    return np.int64(1 if count == -1 else 7), np.int64(-1)
            if position + count > end:
                return np.int64(1), np.int64(-1)
            if count > 64:
                return np.int64(7), np.int64(-1)
            out[o + a] = np.int64(read_bits(buffer, position, count))
            out[o + a + 1] = count
            position += count
        elif op == 16:  # TEXT
            alphabet = ops[at + 9]
            low, high, extensible = c, ops[at + 5], ops[at + 6]
            if alphabet == 2:
                low, high, extensible = np.int64(0), np.int64(-1), np.int64(0)
            size = read_size(
                buffer, position, end, low, ops[at + 4], high, extensible, ranges, ops[at + 7], ops[at + 8]
            )
            count, position = size
            if count < 0:
                return np.int64(1 if count == -1 else 7 if count == -2 else 3), np.int64(-1)
            if position + b * count > end:
                return np.int64(1), np.int64(-1)
            if alphabet:
                characters = text_valid(buffer, position, b, count, alphabet)
                if characters < 0:
                    return np.int64(5), np.int64(-1)
                if alphabet == 2 and (characters < c or (ops[at + 5] >= 0 and characters > ops[at + 5])):
                    return np.int64(7), np.int64(-1)
            out[o + a] = position
            out[o + a + 1] = count
            position += b * count
        elif op == 17:  # TABLE
            count, position = read_length(buffer, position, end)
            if count < 0 or position + 8 * count > end:
                return np.int64(7 if count == -2 else 1), np.int64(-1)
            row = np.int64(-1)
            for k in range(ops[at + 4]):
                if jumps[2 * (c + k)] == out[o + b]:
                    row = np.int64(k)
            out[o + a] = row
            if row < 0:
                out[o + a + 1] = position
                out[o + a + 2] = count
                position += 8 * count
                pc = ops[at + 5]
            else:
                if top + 1 > _LIMIT:
                    return np.int64(7), np.int64(-1)
                stack[top] = end
                top += 1
                end = position + 8 * count
                pc = jumps[2 * (c + row) + 1]
        elif op == 18:  # UNION
            if not admitted(out[o + a], ranges, b, c):
                return np.int64(2), np.int64(-1)
        elif op == 19:  # SET
            out[o + a] = b
        elif op == 20:  # UNSET
            if out[o + a] == b:
                out[o + c] &= ~(np.int64(1) << ops[at + 4])
        elif op == 21:  # FAIL
            return a, np.int64(-1)
        else:
            return np.int64(0), np.int64(-1)


@kernel
def decode_many(program, buffer, start, first, out, base, rows, capacity, saved, stack, error):  # type: ignore[no-untyped-def]
    """Messages from `first` on; returns (next message, table that is full or -1). Rows of a bad message stay zero."""
    tables = len(rows)
    for i in range(first, len(start) - 1):
        for k in range(tables):
            saved[k] = rows[k]
        stack[_LIMIT + 1] = 0
        code, full = decode_one(program, buffer, start[i] * 8, start[i + 1] * 8, out, base, rows, capacity, stack)
        if code != 0:
            for k in range(tables):
                rows[k] = saved[k]
            if full >= 0:
                return np.int64(i), full
            if stack[_LIMIT + 1]:  # a damaged addition: the general path may still read it
                code = np.int64(7)
            o = base[0] + rows[0] * program.widths[0]
            for k in range(program.widths[0]):
                out[o + k] = 0
            rows[0] += 1
        error[i] = code
    return np.int64(len(start) - 1), np.int64(-1)


@kernel
def decode_listed(program, buffer, start, which, first, out, base, rows, capacity, saved, stack, error):  # type: ignore[no-untyped-def]
    """The messages `which[first:]`, each into its own row of table 0; returns (next in `which`, full table or -1)."""
    tables, total = len(rows), rows[0]
    for j in range(first, len(which)):
        i = which[j]
        for k in range(tables):
            saved[k] = rows[k]
        rows[0] = i
        stack[_LIMIT + 1] = 0
        code, full = decode_one(program, buffer, start[i] * 8, start[i + 1] * 8, out, base, rows, capacity, stack)
        rows[0] = total
        if code != 0:
            for k in range(tables):
                rows[k] = saved[k]
            if full >= 0:
                return np.int64(j), full
            if stack[_LIMIT + 1]:
                code = np.int64(7)
            o = base[0] + i * program.widths[0]
            for k in range(program.widths[0]):
                out[o + k] = 0
        error[i] = code
    return np.int64(len(which)), np.int64(-1)
