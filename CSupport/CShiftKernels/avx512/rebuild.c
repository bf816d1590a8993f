// rebuild.c - 16 rows (f32) or 64 rows (int8) at a time; a table is one register.
#include "interleave.h"
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

/// `count` <= 16 rows whose nibbles are in bytes p, p + plane, ... , low or high half.
INLINE void rebuild16(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane, int high,
                      const float *tables, __m512 scale, const __m512i *index,
                      const __mmask16 *mask, float *out) {
    __mmask16 rows = (__mmask16)((1u << count) - 1);
    __m512 w[SDK_VECTOR_WIDTH];
    for (size_t j = 0; j < n; j++) {
        __m512i nibble = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(rows, p + j * plane));
        // vpermps reads the low four bits only, so the low nibble needs no mask.
        if (high) nibble = _mm512_srli_epi32(nibble, 4);
        for (size_t t = 0; t < S; t++) {
            __m512 value =
                _mm512_permutexvar_ps(nibble, _mm512_loadu_ps(tables + (j * S + t) * 16));
            w[t] = j == 0 ? value : _mm512_add_ps(w[t], value);
        }
    }
    for (size_t t = 0; t < S; t++) w[t] = _mm512_mul_ps(scale, w[t]);
    for (size_t v = 0; v < S; v++) {
        __m512 part = w[0];
        for (size_t t = 0; t < S; t++) {
            part = _mm512_mask_permutexvar_ps(part, mask[v * S + t], index[v], w[t]);
        }
        size_t at = v * 16, total = count * S;
        if (at + 16 <= total) {
            _mm512_storeu_ps(out + at, part);
        } else if (at < total) {
            _mm512_mask_storeu_ps(out + at, (__mmask16)((1u << (total - at)) - 1), part);
        }
    }
}

INLINE void rebuild_f32(size_t rows, size_t n, size_t S, const uint8_t *packed,
                        const float *tables, float scale, float *out) {
    __m512i index[SDK_VECTOR_WIDTH];
    __mmask16 mask[SDK_VECTOR_WIDTH * SDK_VECTOR_WIDTH];
    for (size_t v = 0; v < S; v++) {
        int32_t row[16];
        for (size_t t = 0; t < S; t++) mask[v * S + t] = 0;
        for (size_t l = 0; l < 16; l++) {
            row[l] = (int32_t)((v * 16 + l) / S);
            mask[v * S + (v * 16 + l) % S] |= (__mmask16)(1u << l);
        }
        index[v] = _mm512_loadu_si512(row);
    }
    __m512 factor = _mm512_set1_ps(scale);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        for (size_t i = 0; i < half; i += 16) {
            size_t count = half - i < 16 ? half - i : 16;
            rebuild16(count, n, S, packed + i, half, 0, tables, factor, index, mask, out + i * S);
        }
        for (size_t i = 0; i < chunk - half; i += 16) {
            size_t count = chunk - half - i < 16 ? chunk - half - i : 16;
            rebuild16(count, n, S, packed + i, half, 1, tables, factor, index, mask,
                      out + (half + i) * S);
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

/// `count` <= 64 rows; the parts of 16 rows are stored one after another.
INLINE void rebuild64(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane, int high,
                      const int8_t *tables, const uint8_t index[][SDK_VECTOR_WIDTH][16],
                      int8_t *out) {
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
    int8_t whole[64 * SDK_VECTOR_WIDTH];
    int8_t *to = count == 64 ? out : whole;
    for (size_t v = 0; v < S; v++) {
        __m512i part = _mm512_setzero_si512();
        for (size_t t = 0; t < S; t++) {
            __m512i from = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)index[v][t]));
            part = _mm512_or_si512(part, _mm512_shuffle_epi8(w[t], from));
        }
        int8_t *at = to + v * 16;
        _mm_storeu_si128((__m128i *)at, _mm512_castsi512_si128(part));
        _mm_storeu_si128((__m128i *)(at + S * 16), _mm512_extracti32x4_epi32(part, 1));
        _mm_storeu_si128((__m128i *)(at + S * 32), _mm512_extracti32x4_epi32(part, 2));
        _mm_storeu_si128((__m128i *)(at + S * 48), _mm512_extracti32x4_epi32(part, 3));
    }
    if (to == whole) memcpy(out, whole, count * S);
}

INLINE void rebuild_s8(size_t rows, size_t n, size_t S, const uint8_t *packed,
                       const int8_t *tables, int8_t *out) {
    uint8_t index[SDK_VECTOR_WIDTH][SDK_VECTOR_WIDTH][16];
    sdk_interleave_bytes(S, index);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        rebuild64(half, n, S, packed, half, 0, tables, index, out);
        if (chunk > half) {
            rebuild64(chunk - half, n, S, packed, half, 1, tables, index, out + half * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_s8_po2_rebuild__avx512(size_t rows, size_t n, size_t S, const uint8_t *packed,
                                const int8_t *tables, int8_t *out) {
    if (n == 3 && S == 3) {
        rebuild_s8(rows, 3, 3, packed, tables, out);
    } else if (S <= SDK_VECTOR_WIDTH) {
        rebuild_s8(rows, n, S, packed, tables, out);
    } else {
        sdk_s8_po2_rebuild__scalar(rows, n, S, packed, tables, out);
    }
}

SDK_TARGET_END
#endif
