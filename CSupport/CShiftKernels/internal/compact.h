// compact.h - moving kept bytes together where no instruction does it.
#ifndef SDK_COMPACT_H
#define SDK_COMPACT_H

#include <stddef.h>
#include <stdint.h>

static inline void sdk_compact(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    for (size_t i = 0; i < count; i += 8, x += 8) {
        unsigned bits = mask[i / 8];
        if (count - i < 8) bits &= (1u << (count - i)) - 1;
        for (; bits; bits &= bits - 1) *out++ = x[__builtin_ctz(bits)];
    }
}

#endif  // SDK_COMPACT_H
