// matvec.c - a step of a panel is two registers of symbols a plane; its sums stay in their lanes.
#include "compact.h"
#include "panels.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))

// Not every processor with VNNI can compact bytes.
SDK_TARGET_BEGIN("avx512f,avx512bw,avx512vbmi2,popcnt")

static void compact(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    for (size_t i = 0; i < count; i += 64) {
        size_t left = count - i < 64 ? count - i : 64;
        uint64_t bits = 0;
        memcpy(&bits, mask + i / 8, (left + 7) / 8);
        bits &= ~0ull >> (64 - left);
        unsigned kept = (unsigned)__builtin_popcountll(bits);
        if (kept == 0) continue;
        __m512i bytes = _mm512_maskz_compress_epi8(bits, _mm512_maskz_loadu_epi8(bits, x + i));
        _mm512_mask_storeu_epi8(out, ~0ull >> (64 - kept), bytes);
        out += kept;
    }
}

SDK_TARGET_END
SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

void sdk_s8_compact__avx512(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    if (__builtin_cpu_supports("avx512vbmi2")) {
        compact(count, mask, x, out);
    } else {
        sdk_compact(count, mask, x, out);
    }
}

#define SDK_VARIANT(name) sdk_##name##__avx512
#include "matvec_vectors_body.h"

/// The R bytes of x that every filter of a quad meets, for all quads.
INLINE __m512i spread(const int8_t *x, size_t F) {
    if (F == 1) return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)x));
    if (F == 2) {
        int64_t eight;
        memcpy(&eight, x, sizeof eight);
        return _mm512_set1_epi64(eight);
    }
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
}

/// 128 times the sum of x.
INLINE __m512i offset(const int8_t *x, size_t count) {
    __m512i sum = _mm512_setzero_si512(), weights = _mm512_set1_epi8(-128);
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        sum = _mm512_dpbusd_epi32(sum, weights, _mm512_loadu_si512(x + i));
    }
    if (i < count) {
        __mmask64 rest = ~0ull >> (64 - (count - i));
        sum = _mm512_dpbusd_epi32(sum, weights, _mm512_maskz_loadu_epi8(rest, x + i));
    }
    return _mm512_set1_epi32(_mm512_reduce_add_epi32(sum));
}

/// Four tables for the low (half 0) or high nibbles. Those of the first symbol are moved by 128, so
/// that weights are unsigned, as vpdpbusd takes them.
INLINE __m512i load_table(const int8_t *tables, size_t quads, size_t j, size_t index,
                          size_t half) {
    const int8_t *from = tables + index * quads * SDK_SYMBOLS;
    __m512i table = quads == 1 ? _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)from))
                               : _mm512_loadu_si512(from + half * 64);
    return j == 0 ? _mm512_xor_si512(table, _mm512_set1_epi8(-128)) : table;
}

/// The sums of one run, 128 times the sum of x too large. Tables stay in registers where they fit.
INLINE void run_sums(size_t n, size_t S, size_t F, size_t quads, size_t steps,
                     const uint8_t *packed, const int8_t *tables, const int8_t *x,
                     __m512i sums[2]) {
    enum { KEPT = 9 };
    const __m512i low_bits = _mm512_set1_epi8(15);
    const int isKept = n * S <= KEPT;
    __m512i kept[2][KEPT];
    if (isKept) {
        for (size_t i = 0; i < n * S; i++) {
            for (size_t half = 0; half < 2; half++) {
                kept[half][i] = load_table(tables, quads, i / S, i, half);
            }
        }
    }
    __m512i sum0 = _mm512_setzero_si512(), sum1 = sum0;
#pragma clang loop unroll_count(2)
    for (size_t step = 0; step < steps; step++) {
        __m512i low[SDK_MAX_NIBBLES], high[SDK_MAX_NIBBLES];
        for (size_t j = 0; j < n; j++) {
            __m512i both = _mm512_loadu_si512(packed + j * SDK_PLANE_BYTES);
            low[j] = _mm512_and_si512(both, low_bits);
            high[j] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low_bits);
        }
        packed += n * SDK_PLANE_BYTES;
        for (size_t t = 0; t < S; t++, x += 16 / F) {
            __m512i w0, w1;
            for (size_t j = 0; j < n; j++) {
                size_t i = j * S + t;
                __m512i table0 = isKept ? kept[0][i] : load_table(tables, quads, j, i, 0);
                __m512i table1 = isKept ? kept[1][i] : load_table(tables, quads, j, i, 1);
                table0 = _mm512_shuffle_epi8(table0, low[j]);
                table1 = _mm512_shuffle_epi8(table1, high[j]);
                w0 = j == 0 ? table0 : _mm512_add_epi8(w0, table0);
                w1 = j == 0 ? table1 : _mm512_add_epi8(w1, table1);
            }
            __m512i value = spread(x, F);
            sum0 = _mm512_dpbusd_epi32(sum0, w0, value);
            sum1 = _mm512_dpbusd_epi32(sum1, w1, value);
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
}

/// The sum of a filter in all of its lanes.
INLINE __m512i filter_sums(__m512i lanes, size_t F) {
    if (F <= 2) lanes = _mm512_add_epi32(lanes, _mm512_shuffle_epi32(lanes, _MM_PERM_CDAB));
    if (F == 1) lanes = _mm512_add_epi32(lanes, _mm512_shuffle_epi32(lanes, _MM_PERM_BADC));
    return lanes;
}

INLINE void matvec(const sdk_panels *panels, size_t n, size_t S, size_t F, size_t quads,
                   size_t filters, const uint8_t *packed, const int8_t *tables, const int8_t *x,
                   float factor, float *y) {
    for (size_t first = 0; first < filters; first += SDK_PANEL_QUADS * F) {
        __m512 totals[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
        const int8_t *from = x;
        for (size_t s = 0; s < panels->runs; s++) {
            size_t steps = panels->steps[s], count = steps * S * (16 / F);
            const uint8_t *scales = packed;
            packed += SDK_PANEL_LANES * sizeof(uint16_t);
            __m512i sums[2], excess = offset(from, count);
            run_sums(n, S, F, quads, steps, packed, tables, from, sums);
            for (size_t half = 0; half < 2; half++) {
                __m512i exact = _mm512_sub_epi32(filter_sums(sums[half], F), excess);
                __m512 scale = _mm512_cvtph_ps(
                    _mm256_loadu_si256((const __m256i *)(scales + half * 32)));
                __m512 product = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(exact));
                totals[half] = _mm512_add_ps(totals[half], product);
            }
            packed += steps * n * SDK_PLANE_BYTES;
            tables += n * S * quads * SDK_SYMBOLS;
            from += count;
        }
        float lanes[SDK_PANEL_LANES];
        _mm512_storeu_ps(lanes, totals[0]);
        _mm512_storeu_ps(lanes + 16, totals[1]);
        sdk_store_lanes(filters - first, F, lanes, factor, y + first);
    }
}

void sdk_s8_po2_matvec__avx512(const sdk_panels *panels, size_t filters, const uint8_t *packed,
                               const int8_t *tables, const int8_t *x, float factor, float *y) {
    size_t n = panels->n, S = panels->S, F = panels->F, quads = panels->quads;
    // The forms that linear layers have by default, then any other.
    if (n == 1 && S == 1 && F == 4 && quads == 1) {
        matvec(panels, 1, 1, 4, 1, filters, packed, tables, x, factor, y);
    } else if (n == 3 && S == 3 && F == 4 && quads == 8) {
        matvec(panels, 3, 3, 4, 8, filters, packed, tables, x, factor, y);
    } else if (n == 3 && S == 3 && F == 2 && quads == 8) {
        matvec(panels, 3, 3, 2, 8, filters, packed, tables, x, factor, y);
    } else if (n == 3 && S == 3 && F == 1 && quads == 8) {
        matvec(panels, 3, 3, 1, 8, filters, packed, tables, x, factor, y);
    } else if (n == 3) {
        matvec(panels, 3, S, F, quads, filters, packed, tables, x, factor, y);
    } else if (n == 2) {
        matvec(panels, 2, S, F, quads, filters, packed, tables, x, factor, y);
    } else {
        matvec(panels, n, S, F, quads, filters, packed, tables, x, factor, y);
    }
}

SDK_TARGET_END
#endif
