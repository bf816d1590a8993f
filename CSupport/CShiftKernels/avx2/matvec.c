// matvec.c - a step of a panel is four registers of symbols a plane; its sums stay in their lanes.
#include "compact.h"
#include "panels.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))

SDK_TARGET_BEGIN("avx2")

#define SDK_VARIANT(name) sdk_##name##__avx2
#include "matvec_vectors_body.h"

void sdk_s8_compact__avx2(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    sdk_compact(count, mask, x, out);
}

/// The R bytes of x that every filter of a quad meets, for two quads.
INLINE __m256i spread(const int8_t *x, size_t F) {
    if (F == 1) return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)x));
    if (F == 2) {
        int64_t eight;
        memcpy(&eight, x, sizeof eight);
        return _mm256_set1_epi64x(eight);
    }
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

/// Two tables for the quads 2 p and 2 p + 1.
INLINE __m256i load_table(const int8_t *tables, size_t quads, size_t index, size_t p) {
    const int8_t *from = tables + index * quads * SDK_SYMBOLS;
    if (quads == 1) return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from));
    return _mm256_loadu_si256((const __m256i *)(from + p * 32));
}

/// Four products of neighbouring bytes added to each lane. |w| times x with the sign of w stays in
/// int16 by pairs: 2 * 127 * 127.
INLINE __m256i multiply_add(__m256i sum, __m256i w, __m256i x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

INLINE void run_sums(size_t n, size_t S, size_t F, size_t quads, size_t steps,
                     const uint8_t *packed, const int8_t *tables, const int8_t *x,
                     __m256i sums[4]) {
    const __m256i low_bits = _mm256_set1_epi8(15);
    for (size_t p = 0; p < 4; p++) sums[p] = _mm256_setzero_si256();
    for (size_t step = 0; step < steps; step++) {
        // Quads 0 to 3 are in low nibbles, 4 to 7 in high ones.
        __m256i symbols[4][SDK_MAX_NIBBLES];
        for (size_t j = 0; j < n; j++) {
            for (size_t p = 0; p < 2; p++) {
                __m256i both = _mm256_loadu_si256(
                    (const __m256i *)(packed + j * SDK_PLANE_BYTES + p * 32));
                symbols[p][j] = _mm256_and_si256(both, low_bits);
                symbols[p + 2][j] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_bits);
            }
        }
        packed += n * SDK_PLANE_BYTES;
        for (size_t t = 0; t < S; t++, x += 16 / F) {
            __m256i value = spread(x, F);
            for (size_t p = 0; p < 4; p++) {
                __m256i w = _mm256_shuffle_epi8(load_table(tables, quads, t, p), symbols[p][0]);
                for (size_t j = 1; j < n; j++) {
                    __m256i table = load_table(tables, quads, j * S + t, p);
                    w = _mm256_add_epi8(w, _mm256_shuffle_epi8(table, symbols[p][j]));
                }
                sums[p] = multiply_add(sums[p], w, value);
            }
        }
    }
}

/// The sum of a filter in all of its lanes.
INLINE __m256i filter_sums(__m256i lanes, size_t F) {
    if (F <= 2) lanes = _mm256_add_epi32(lanes, _mm256_shuffle_epi32(lanes, 0xB1));
    if (F == 1) lanes = _mm256_add_epi32(lanes, _mm256_shuffle_epi32(lanes, 0x4E));
    return lanes;
}

/// Eight half floats: their bits in place, then the difference of the exponents.
INLINE __m256 load_halves(const uint8_t *from) {
    __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)from));
    __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(bits, 15), 31);
    bits = _mm256_slli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7FFF)), 13);
    __m256 value = _mm256_mul_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(0x1p112f));
    return _mm256_or_ps(value, _mm256_castsi256_ps(sign));
}

INLINE void matvec(const sdk_panels *panels, size_t n, size_t S, size_t F, size_t quads,
                   size_t filters, const uint8_t *packed, const int8_t *tables, const int8_t *x,
                   float factor, float *y) {
    for (size_t first = 0; first < filters; first += SDK_PANEL_QUADS * F) {
        __m256 totals[4];
        for (size_t p = 0; p < 4; p++) totals[p] = _mm256_setzero_ps();
        const int8_t *from = x;
        for (size_t s = 0; s < panels->runs; s++) {
            size_t steps = panels->steps[s];
            const uint8_t *scales = packed;
            packed += SDK_PANEL_LANES * sizeof(uint16_t);
            __m256i sums[4];
            run_sums(n, S, F, quads, steps, packed, tables, from, sums);
            for (size_t p = 0; p < 4; p++) {
                __m256 exact = _mm256_cvtepi32_ps(filter_sums(sums[p], F));
                __m256 product = _mm256_mul_ps(load_halves(scales + p * 16), exact);
                totals[p] = _mm256_add_ps(totals[p], product);
            }
            packed += steps * n * SDK_PLANE_BYTES;
            tables += n * S * quads * SDK_SYMBOLS;
            from += steps * S * (16 / F);
        }
        float lanes[SDK_PANEL_LANES];
        for (size_t p = 0; p < 4; p++) _mm256_storeu_ps(lanes + p * 8, totals[p]);
        sdk_store_lanes(filters - first, F, lanes, factor, y + first);
    }
}

void sdk_s8_po2_matvec__avx2(const sdk_panels *panels, size_t filters, const uint8_t *packed,
                             const int8_t *tables, const int8_t *x, float factor, float *y) {
    size_t n = panels->n, S = panels->S, F = panels->F, quads = panels->quads;
    // The forms that linear layers have by default, then any other.
    if (n == 1 && S == 1 && F == 4 && quads == 1) {
        matvec(panels, 1, 1, 4, 1, filters, packed, tables, x, factor, y);
    } else if (n == 3 && S == 3 && F == 4 && quads == 8) {
        matvec(panels, 3, 3, 4, 8, filters, packed, tables, x, factor, y);
    } else if (n == 3 && S == 3 && F == 2 && quads == 8) {
        matvec(panels, 3, 3, 2, 8, filters, packed, tables, x, factor, y);
    } else {
        matvec(panels, n, S, F, quads, filters, packed, tables, x, factor, y);
    }
}

SDK_TARGET_END
#endif
