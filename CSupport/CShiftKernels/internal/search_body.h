// search_body.h - the joint search on 16 lanes, one a value of the last symbol. Included by every
// instruction set's search.c inside its target region; SDK_VARIANT(name) names the function.
#include <math.h>

#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float sdk_f32x16 __attribute__((vector_size(64)));
typedef int32_t sdk_s32x16 __attribute__((vector_size(64)));
typedef uint8_t sdk_u8x16 __attribute__((vector_size(16)));
enum { ROWS_AT_ONCE = 6 };

static inline sdk_f32x16 load16(const float *from) {
    sdk_f32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline sdk_f32x16 splat16(float value) {
    return (sdk_f32x16){value, value, value, value, value, value, value, value,
                        value, value, value, value, value, value, value, value};
}

static inline sdk_s32x16 splat16s(int32_t v) {
    return (sdk_s32x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}

static inline sdk_f32x16 select16(sdk_s32x16 mask, sdk_f32x16 a, sdk_f32x16 b) {
    return (sdk_f32x16)(((sdk_s32x16)a & mask) | ((sdk_s32x16)b & ~mask));
}

/// The lesser of values that are not negative, which order like their bits: integer units find it
/// while those for floats, the bottleneck here, subtract (measured: 1.35 times faster).
static inline sdk_f32x16 least16(sdk_f32x16 a, sdk_f32x16 b) {
    return (sdk_f32x16)__builtin_elementwise_min((sdk_s32x16)a, (sdk_s32x16)b);
}

/// u_j of one row: twice the products with the tables.
static inline sdk_f32x16 products(size_t S, const float *x, const float *table) {
    sdk_f32x16 dot = splat16(x[0]) * load16(table);
    for (size_t t = 1; t < S; t++) dot += splat16(x[t]) * load16(table + t * 16);
    return dot + dot;
}

/// Searches `count` <= ROWS_AT_ONCE rows that share every load of the norms.
static inline __attribute__((always_inline)) void search_rows(size_t count, size_t n, size_t S, const float *x,
                               const float *tables, const float *norms, uint8_t *symbols) {
    float u[SDK_MAX_SEARCH_NIBBLES][ROWS_AT_ONCE][16];
    sdk_f32x16 best[ROWS_AT_ONCE], last[ROWS_AT_ONCE];
    sdk_s32x16 best_k0[ROWS_AT_ONCE];
    for (size_t r = 0; r < count; r++) {
        for (size_t j = 0; j < n; j++) {
            sdk_f32x16 value = products(S, x + r * S, tables + j * S * 16);
            if (n == 3 && j == 1) value -= splat16(__builtin_reduce_max(value));
            memcpy(u[j][r], &value, sizeof value);
            last[r] = value;
        }
        best[r] = n == 1 ? load16(norms) : splat16(INFINITY);
        best_k0[r] = (sdk_s32x16){0};
    }
    for (size_t k0 = 0; n > 1 && k0 < 16; k0++) {
        sdk_f32x16 least[ROWS_AT_ONCE];
        if (n == 3) {
            for (size_t r = 0; r < count; r++) least[r] = splat16(INFINITY);
            for (size_t k1 = 0; k1 < 16; k1++) {
                sdk_f32x16 norm = load16(norms + (k0 * 16 + k1) * 16);
                for (size_t r = 0; r < count; r++) {
                    sdk_f32x16 score = norm - splat16(u[1][r][k1]);
                    least[r] = least16(score, least[r]);
                }
            }
        } else {
            for (size_t r = 0; r < count; r++) least[r] = load16(norms + k0 * 16);
        }
        for (size_t r = 0; r < count; r++) {
            sdk_f32x16 score = least[r] - splat16(u[0][r][k0]);
            sdk_s32x16 better = score < best[r];
            best[r] = select16(better, score, best[r]);
            best_k0[r] = (best_k0[r] & ~better) | (better & (int32_t)k0);
        }
    }
    for (size_t r = 0; r < count; r++, symbols += n) {
        sdk_f32x16 scores = best[r] - last[r];
        size_t k = 0;
        for (size_t i = 1; i < 16; i++) {
            if (scores[i] < scores[k]) k = i;
        }
        symbols[n - 1] = (uint8_t)k;
        if (n == 1) continue;
        size_t k0 = (size_t)best_k0[r][k];
        symbols[0] = (uint8_t)k0;
        if (n == 2) continue;
        size_t k1 = 0;
        float least = INFINITY;
        for (size_t i = 0; i < 16; i++) {
            float score = norms[(k0 * 16 + i) * 16 + k] - u[1][r][i];
            if (score < least) {
                least = score;
                k1 = i;
            }
        }
        symbols[1] = (uint8_t)k1;
    }
}

static inline __attribute__((always_inline)) void search_all(size_t rows, size_t n, size_t S,
                                                             const float *x, const float *tables,
                                                             const float *norms,
                                                             uint8_t *symbols) {
    size_t row = 0;
    for (; row + ROWS_AT_ONCE <= rows; row += ROWS_AT_ONCE) {
        search_rows(ROWS_AT_ONCE, n, S, x + row * S, tables, norms, symbols + row * n);
    }
    for (; row < rows; row++) {
        search_rows(1, n, S, x + row * S, tables, norms, symbols + row * n);
    }
}

void SDK_VARIANT(f32_nearest_symbols)(size_t rows, size_t n, size_t S, const float *x,
                                      const float *tables, const float *norms,
                                      uint8_t *symbols) {
    // Constant n: the loops over symbols unroll and everything stays in registers.
    if (n == 3) {
        search_all(rows, 3, S, x, tables, norms, symbols);
    } else if (n == 2) {
        search_all(rows, 2, S, x, tables, norms, symbols);
    } else {
        search_all(rows, 1, S, x, tables, norms, symbols);
    }
}

void SDK_VARIANT(f32_nearest_levels)(size_t count, const float *x, float factor,
                                     const float midpoints[15], const uint8_t order[16],
                                     uint8_t *symbols) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        sdk_f32x16 value = load16(x + i) * splat16(factor);
        // The last midpoint that is below decides: they rise.
        sdk_s32x16 symbol = splat16s(order[0]);
        for (size_t m = 0; m < 15; m++) {
            sdk_s32x16 above = value > splat16(midpoints[m]);
            symbol = (symbol & ~above) | (splat16s(order[m + 1]) & above);
        }
        sdk_u8x16 narrow = __builtin_convertvector(symbol, sdk_u8x16);
        memcpy(symbols + i, &narrow, sizeof narrow);
    }
    if (i < count) {
        sdk_f32_nearest_levels__scalar(count - i, x + i, factor, midpoints, order, symbols + i);
    }
}
