// matvec_vectors_body.h - activations for products with vectors, as plain loops that the compiler
// turns into the widest registers of the region that includes this file; SDK_VARIANT(name) names
// the functions.
#include <math.h>

#include "panels.h"

#pragma STDC FP_CONTRACT OFF

void SDK_VARIANT(f32_s8_quantise)(size_t count, const float *restrict x, int8_t *restrict q,
                                  float *scale) {
    // Magnitudes compare as their bits do; what is not finite is beyond them. Nothing here asks which
    // of two numbers the processor's maximum is when one is none.
    const uint32_t infinity = 0x7F800000;
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFF;
        if (bits > most) most = bits;
    }
    if (most >= infinity) {
        for (size_t i = 0; i < count; i++) {
            uint32_t bits;
            memcpy(&bits, x + i, sizeof bits);
            q[i] = (bits & 0x7FFFFFFF) >= infinity ? -127 : 0;
        }
        *scale = INFINITY;
        return;
    }
    float largest;
    memcpy(&largest, &most, sizeof largest);
    int is_zero = largest < 0x1p-100f;
    float factor = is_zero ? 0 : 127.0f / largest;
    for (size_t i = 0; i < count; i++) {
        float level = x[i] * factor;
        level = level > -127 ? level : -127;
        level = level < 127 ? level : 127;
        // Added and taken away again it rounds small numbers to whole ones, ties to even.
        q[i] = (int8_t)(int32_t)((level + 0x1.8p23f) - 0x1.8p23f);
    }
    *scale = is_zero ? 0 : largest / 127.0f;
}

static inline __attribute__((always_inline)) void rows_to_steps(size_t count, size_t S, size_t R,
                                                                const int8_t *restrict x,
                                                                int8_t *restrict out) {
    for (; count >= S * R; count -= S * R, x += S * R, out += S * R) {
        for (size_t t = 0; t < S; t++) {
            for (size_t r = 0; r < R; r++) out[t * R + r] = x[r * S + t];
        }
    }
    if (count == 0) return;
    memset(out, 0, S * R);
    for (size_t i = 0; i < count; i++) out[i % S * R + i / S] = x[i];
}

void SDK_VARIANT(s8_rows_to_steps)(size_t count, size_t S, size_t R, const int8_t *x,
                                   int8_t *out) {
    if (S == 1) {
        memcpy(out, x, count);
        memset(out + count, 0, (R - count % R) % R);
    } else if (S == 3 && R == 4) {
        rows_to_steps(count, 3, 4, x, out);
    } else if (S == 3 && R == 8) {
        rows_to_steps(count, 3, 8, x, out);
    } else {
        rows_to_steps(count, S, R, x, out);
    }
}
