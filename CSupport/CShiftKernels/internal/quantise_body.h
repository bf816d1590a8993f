// quantise_body.h - ranges and levels, 16 values at a time. Included by every instruction set's
// quantise.c inside its target region; SDK_VARIANT(name) names the function.
#include <math.h>

#include "quantise_level.h"

#pragma STDC FP_CONTRACT OFF
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))
typedef float sdk_f32x16 __attribute__((vector_size(64)));
typedef int32_t sdk_s32x16 __attribute__((vector_size(64)));
typedef uint32_t sdk_u32x16 __attribute__((vector_size(64)));

INLINE sdk_f32x16 load16(const float *from) {
    sdk_f32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store16(float *to, sdk_f32x16 value) { memcpy(to, &value, sizeof value); }

INLINE sdk_f32x16 splat16(float v) {
    return (sdk_f32x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}

INLINE sdk_f32x16 select16(sdk_s32x16 mask, sdk_f32x16 a, sdk_f32x16 b) {
    return (sdk_f32x16)(((sdk_s32x16)a & mask) | ((sdk_s32x16)b & ~mask));
}

INLINE sdk_f32x16 quantised16(sdk_f32x16 x, sdk_f32x16 zero, sdk_f32x16 scale, sdk_f32x16 top,
                              sdk_f32x16 noise) {
    sdk_f32x16 none = splat16(0.0f), rounder = splat16(SDK_ROUNDER);
    sdk_f32x16 k = (x - zero) / scale + noise;
    k = select16(k < none, none, k);
    k = select16(k > top, top, k);
    k = (k + rounder) - rounder;
    return select16(scale > none, k * scale + zero, x);
}

/// The columns l ... l + 15 of x [rows][lanes]; with `lanes` 16 all that follow each other.
INLINE void minmax16(size_t rows, size_t lanes, const float *x, sdk_f32x16 *least,
                     sdk_f32x16 *largest) {
    sdk_f32x16 low = *least, high = *largest;
    for (size_t row = 0; row < rows; row++) {
        sdk_f32x16 value = load16(x + row * lanes);
        low = select16(value < low, value, low);
        high = select16(value > high, value, high);
    }
    *least = low;
    *largest = high;
}

INLINE void minmax_column(size_t rows, size_t lanes, const float *x, float *least,
                          float *largest) {
    float low = *least, high = *largest;
    for (size_t row = 0; row < rows; row++) {
        float value = x[row * lanes];
        if (value < low) low = value;
        if (value > high) high = value;
    }
    *least = low + 0.0f;
    *largest = high + 0.0f;
}

void SDK_VARIANT(f32_minmax)(size_t rows, size_t lanes, const float *x, float *least,
                             float *largest) {
    if (lanes == 1) {
        // One long column: 16 parts of it, then their extremes and what is left.
        sdk_f32x16 low = splat16(INFINITY), high = splat16(-INFINITY);
        minmax16(rows / 16, 16, x, &low, &high);
        float lows[16], highs[16];
        store16(lows, low);
        store16(highs, high);
        *least = INFINITY;
        *largest = -INFINITY;
        for (size_t l = 0; l < 16; l++) {
            if (lows[l] < *least) *least = lows[l];
            if (highs[l] > *largest) *largest = highs[l];
        }
        minmax_column(rows % 16, 1, x + rows / 16 * 16, least, largest);
        return;
    }
    size_t l = 0;
    for (; l + 16 <= lanes; l += 16) {
        sdk_f32x16 low = splat16(INFINITY), high = splat16(-INFINITY);
        minmax16(rows, lanes, x + l, &low, &high);
        store16(least + l, low + splat16(0.0f));
        store16(largest + l, high + splat16(0.0f));
    }
    for (; l < lanes; l++) {
        least[l] = INFINITY;
        largest[l] = -INFINITY;
        minmax_column(rows, lanes, x + l, least + l, largest + l);
    }
}

INLINE void fake_quantise16(size_t rows, size_t lanes, const float *x, sdk_f32x16 zero,
                            sdk_f32x16 scale, float top, float *out) {
    for (size_t row = 0; row < rows; row++) {
        store16(out + row * lanes, quantised16(load16(x + row * lanes), zero, scale,
                                               splat16(top), splat16(0.0f)));
    }
}

void SDK_VARIANT(f32_fake_quantise)(size_t rows, size_t lanes, const float *x, const float *zero,
                                    const float *scale, float top, float *out) {
    if (lanes == 1) {
        size_t whole = rows / 16 * 16;
        fake_quantise16(rows / 16, 16, x, splat16(*zero), splat16(*scale), top, out);
        for (size_t i = whole; i < rows; i++) {
            out[i] = sdk_quantised(x[i], *zero, *scale, top, 0.0f);
        }
        return;
    }
    size_t l = 0;
    for (; l + 16 <= lanes; l += 16) {
        fake_quantise16(rows, lanes, x + l, load16(zero + l), load16(scale + l), top, out + l);
    }
    for (; l < lanes; l++) {
        for (size_t row = 0; row < rows; row++) {
            size_t i = row * lanes + l;
            out[i] = sdk_quantised(x[i], zero[l], scale[l], top, 0.0f);
        }
    }
}

/// sdk_counter_noise of 16 counters.
INLINE sdk_f32x16 counter_noise16(uint64_t counter, uint64_t key) {
    sdk_u32x16 h = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    h += (uint32_t)counter + (uint32_t)key;
    h ^= h >> 16;
    h *= 0x21F0AAADu;
    h ^= (uint32_t)(key >> 32);
    h ^= h >> 15;
    h *= 0xD35A2D97u;
    h ^= h >> 15;
    sdk_f32x16 unit = __builtin_convertvector((sdk_s32x16)(h >> 8), sdk_f32x16);
    return unit * splat16(0x1p-24f) - splat16(0.5f);
}

void SDK_VARIANT(f32_fake_quantise_random)(size_t count, uint64_t first, uint64_t key,
                                           const float *x, float zero, float scale, float top,
                                           float *out) {
    size_t whole = count / 16 * 16;
    for (size_t i = 0; i < whole; i += 16) {
        store16(out + i, quantised16(load16(x + i), splat16(zero), splat16(scale), splat16(top),
                                     counter_noise16(first + i, key)));
    }
    for (size_t i = whole; i < count; i++) {
        out[i] = sdk_quantised(x[i], zero, scale, top, sdk_counter_noise(first + i, key));
    }
}
