// rebuild.c - 16 rows (f32) or 64 rows (int8) at a time; a table is one register.
#include "interleave.h"
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

/// Where the elements of vectors of 16 rows come from when rows are put side by side: element l of
/// vector v is row `from[v][l]` of column `(16 v + l) % S`. The first two columns are merged at
/// once, the others where their masks say.
typedef struct rebuild_order {
    __m512i first[SDK_VECTOR_WIDTH], from[SDK_VECTOR_WIDTH];
    __mmask16 mask[SDK_VECTOR_WIDTH * SDK_VECTOR_WIDTH];
} rebuild_order;

INLINE rebuild_order order_of(size_t S) {
    rebuild_order order;
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // Of numbers below 128 that is division by S <= 8.
    __m512i inverse = _mm512_set1_epi32((int32_t)((1 << 16) / S + 1));
    for (size_t v = 0; v < S; v++) {
        __m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32((int32_t)(16 * v)));
        __m512i row = _mm512_srli_epi32(_mm512_mullo_epi32(at, inverse), 16);
        __m512i column =
            _mm512_sub_epi32(at, _mm512_mullo_epi32(row, _mm512_set1_epi32((int32_t)S)));
        for (size_t t = 0; t < S; t++) {
            order.mask[v * S + t] =
                _mm512_cmpeq_epi32_mask(column, _mm512_set1_epi32((int32_t)t));
        }
        order.from[v] = row;
        order.first[v] = S > 1 ? _mm512_mask_add_epi32(row, order.mask[v * S + 1], row,
                                                       _mm512_set1_epi32(16))
                               : row;
    }
    return order;
}

/// `count` <= 16 rows of which `nibbles` are the symbols, in their lowest four bits.
INLINE void rebuild16(size_t count, size_t n, size_t S, const __m512i *nibbles,
                      const float *tables, __m512 scale, const rebuild_order *order, float *out) {
    __m512 w[SDK_VECTOR_WIDTH];
    for (size_t j = 0; j < n; j++) {
        for (size_t t = 0; t < S; t++) {
            __m512 value =
                _mm512_permutexvar_ps(nibbles[j], _mm512_loadu_ps(tables + (j * S + t) * 16));
            w[t] = j == 0 ? value : _mm512_add_ps(w[t], value);
        }
    }
    for (size_t t = 0; t < S; t++) w[t] = _mm512_mul_ps(scale, w[t]);
    for (size_t v = 0; v < S; v++) {
        __m512 part = S > 1 ? _mm512_permutex2var_ps(w[0], order->first[v], w[1]) : w[0];
        for (size_t t = 2; t < S; t++) {
            part = _mm512_mask_permutexvar_ps(part, order->mask[v * S + t], order->from[v], w[t]);
        }
        size_t at = v * 16, total = count * S;
        if (at + 16 <= total) {
            _mm512_storeu_ps(out + at, part);
        } else if (at < total) {
            _mm512_mask_storeu_ps(out + at, (__mmask16)((1u << (total - at)) - 1), part);
        }
    }
}

/// The low nibbles of `low` <= 16 bytes of each plane to `out`, the high ones of `high` to `above`.
INLINE void rebuild32(size_t low, size_t high, size_t n, size_t S, const uint8_t *p, size_t plane,
                      const float *tables, __m512 scale, const rebuild_order *order, float *out,
                      float *above) {
    __mmask16 bytes = (__mmask16)((1u << low) - 1);
    __m512i nibbles[SDK_MAX_NIBBLES];
    for (size_t j = 0; j < n; j++) {
        nibbles[j] = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(bytes, p + j * plane));
    }
    // vpermps reads the low four bits only, so the low nibble needs no mask.
    rebuild16(low, n, S, nibbles, tables, scale, order, out);
    for (size_t j = 0; j < n; j++) nibbles[j] = _mm512_srli_epi32(nibbles[j], 4);
    rebuild16(high, n, S, nibbles, tables, scale, order, above);
}

INLINE void rebuild_f32(size_t rows, size_t n, size_t S, const uint8_t *packed,
                        const float *tables, float scale, float *out) {
    rebuild_order order = order_of(S);
    __m512 factor = _mm512_set1_ps(scale);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2, rest = chunk - half;
        float *above = out + half * S;
        size_t i = 0;
        for (; i + 16 <= rest; i += 16) {
            rebuild32(16, 16, n, S, packed + i, half, tables, factor, &order, out + i * S,
                      above + i * S);
        }
        if (i < half) {
            rebuild32(half - i, rest - i, n, S, packed + i, half, tables, factor, &order,
                      out + i * S, above + i * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_f32_po2_rebuild__avx512(size_t rows, size_t n, size_t S, const uint8_t *packed,
                                 const float *tables, float scale, float *out) {
    if (n == 3 && S == 3) {
        rebuild_f32(rows, 3, 3, packed, tables, scale, out);
    } else if (n == 3 && S == 4) {
        rebuild_f32(rows, 3, 4, packed, tables, scale, out);
    } else if (n == 3 && S == 2) {
        rebuild_f32(rows, 3, 2, packed, tables, scale, out);
    } else if (n == 1 && S == 1) {
        rebuild_f32(rows, 1, 1, packed, tables, scale, out);
    } else if (S <= SDK_VECTOR_WIDTH) {
        rebuild_f32(rows, n, S, packed, tables, scale, out);
    } else {
        sdk_f32_po2_rebuild__scalar(rows, n, S, packed, tables, scale, out);
    }
}

/// The same of bytes, in vectors of 64 rows.
typedef struct byte_order {
    __m512i first[SDK_VECTOR_WIDTH], from[SDK_VECTOR_WIDTH];
    __mmask64 mask[SDK_VECTOR_WIDTH * SDK_VECTOR_WIDTH];
} byte_order;

/// The low bytes of 64 numbers of 16 bits.
INLINE __m512i low_bytes(__m512i first, __m512i second) {
    __m512i low = _mm512_castsi256_si512(_mm512_cvtepi16_epi8(first));
    return _mm512_inserti64x4(low, _mm512_cvtepi16_epi8(second), 1);
}

INLINE byte_order byte_order_of(size_t S) {
    byte_order order;
    __m512i count = _mm512_cvtepu8_epi16(_mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30, 31));
    // Of numbers below 512 that is division by S <= 8.
    __m512i inverse = _mm512_set1_epi16((int16_t)((1 << 16) / S + (S > 1)));
    __m512i width = _mm512_set1_epi16((int16_t)S);
    for (size_t v = 0; v < S; v++) {
        __m512i rows[2], columns[2];
        for (size_t i = 0; i < 2; i++) {
            __m512i at =
                _mm512_add_epi16(count, _mm512_set1_epi16((int16_t)(64 * v + 32 * i)));
            rows[i] = S > 1 ? _mm512_mulhi_epu16(at, inverse) : at;
            columns[i] = _mm512_sub_epi16(at, _mm512_mullo_epi16(rows[i], width));
        }
        __m512i row = low_bytes(rows[0], rows[1]), column = low_bytes(columns[0], columns[1]);
        for (size_t t = 0; t < S; t++) {
            order.mask[v * S + t] = _mm512_cmpeq_epi8_mask(column, _mm512_set1_epi8((char)t));
        }
        order.from[v] = row;
        order.first[v] =
            S > 1 ? _mm512_mask_add_epi8(row, order.mask[v * S + 1], row, _mm512_set1_epi8(64))
                  : row;
    }
    return order;
}

/// `count` <= 64 rows.
INLINE void rebuild64(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane, int high,
                      const int8_t *tables, const byte_order *order, int8_t *out) {
    __mmask64 rows = count == 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
    __m512i w[SDK_VECTOR_WIDTH];
    for (size_t j = 0; j < n; j++) {
        __m512i nibble = _mm512_maskz_loadu_epi8(rows, p + j * plane);
        if (high) nibble = _mm512_srli_epi16(nibble, 4);
        nibble = _mm512_and_si512(nibble, _mm512_set1_epi8(15));
        for (size_t t = 0; t < S; t++) {
            __m512i table = _mm512_broadcast_i32x4(
                _mm_loadu_si128((const __m128i *)(tables + (j * S + t) * 16)));
            __m512i value = _mm512_shuffle_epi8(table, nibble);
            w[t] = j == 0 ? value : _mm512_add_epi8(w[t], value);
        }
    }
    for (size_t v = 0; v < S; v++) {
        __m512i part = S > 1 ? _mm512_permutex2var_epi8(w[0], order->first[v], w[1]) : w[0];
        for (size_t t = 2; t < S; t++) {
            part = _mm512_mask_permutexvar_epi8(part, order->mask[v * S + t], order->from[v], w[t]);
        }
        size_t at = v * 64, total = count * S;
        if (at + 64 <= total) {
            _mm512_storeu_si512(out + at, part);
        } else if (at < total) {
            _mm512_mask_storeu_epi8(out + at, ((__mmask64)1 << (total - at)) - 1, part);
        }
    }
}

INLINE void rebuild_s8(size_t rows, size_t n, size_t S, const uint8_t *packed,
                       const int8_t *tables, int8_t *out) {
    byte_order order = byte_order_of(S);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        rebuild64(half, n, S, packed, half, 0, tables, &order, out);
        if (chunk > half) {
            rebuild64(chunk - half, n, S, packed, half, 1, tables, &order, out + half * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_s8_po2_rebuild__avx512(size_t rows, size_t n, size_t S, const uint8_t *packed,
                                const int8_t *tables, int8_t *out) {
    if (n == 3 && S == 3) {
        rebuild_s8(rows, 3, 3, packed, tables, out);
    } else if (n == 1 && S == 1) {
        rebuild_s8(rows, 1, 1, packed, tables, out);
    } else if (S <= SDK_VECTOR_WIDTH) {
        rebuild_s8(rows, n, S, packed, tables, out);
    } else {
        sdk_s8_po2_rebuild__scalar(rows, n, S, packed, tables, out);
    }
}

SDK_TARGET_END
#endif
