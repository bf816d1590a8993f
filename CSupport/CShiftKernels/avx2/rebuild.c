// rebuild.c - 8 rows (f32) or 32 rows (int8) at a time; an f32 table is two registers.
#include "interleave.h"
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))

SDK_TARGET_BEGIN("avx2")

/// Loads up to 8 bytes without reading past `count`.
INLINE __m128i load_bytes(const uint8_t *p, size_t count) {
    uint64_t bytes = 0;
    memcpy(&bytes, p, count);
    return _mm_cvtsi64_si128((long long)bytes);
}

/// `count` <= 8 rows whose nibbles are in bytes p, p + plane, ..., low or high half.
INLINE void rebuild8(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane, int high,
                     const float *tables, __m256 scale, float *out) {
    __m256 w[SDK_VECTOR_WIDTH];
    for (size_t j = 0; j < n; j++) {
        __m128i bytes = count == 8 ? _mm_loadl_epi64((const __m128i *)(p + j * plane))
                                   : load_bytes(p + j * plane, count);
        __m256i nibble = _mm256_cvtepu8_epi32(bytes);
        if (high) nibble = _mm256_srli_epi32(nibble, 4);
        // vpermps reads three bits; the fourth, moved to the sign, picks the half of the table.
        __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(nibble, 28));
        for (size_t t = 0; t < S; t++) {
            const float *table = tables + (j * S + t) * 16;
            __m256 value = _mm256_blendv_ps(
                _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), nibble),
                _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), nibble), upper);
            w[t] = j == 0 ? value : _mm256_add_ps(w[t], value);
        }
    }
    float planes[SDK_VECTOR_WIDTH][8];
    for (size_t t = 0; t < S; t++) _mm256_storeu_ps(planes[t], _mm256_mul_ps(scale, w[t]));
    for (size_t row = 0; row < count; row++) {
        for (size_t t = 0; t < S; t++) *out++ = planes[t][row];
    }
}

INLINE void rebuild_f32(size_t rows, size_t n, size_t S, const uint8_t *packed,
                        const float *tables, float scale, float *out) {
    __m256 factor = _mm256_set1_ps(scale);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        for (size_t i = 0; i < half; i += 8) {
            size_t count = half - i < 8 ? half - i : 8;
            rebuild8(count, n, S, packed + i, half, 0, tables, factor, out + i * S);
        }
        for (size_t i = 0; i < chunk - half; i += 8) {
            size_t count = chunk - half - i < 8 ? chunk - half - i : 8;
            rebuild8(count, n, S, packed + i, half, 1, tables, factor, out + (half + i) * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_f32_po2_rebuild__avx2(size_t rows, size_t n, size_t S, const uint8_t *packed,
                               const float *tables, float scale, float *out) {
    if (n == 3 && S == 3) {
        rebuild_f32(rows, 3, 3, packed, tables, scale, out);
    } else if (S <= SDK_VECTOR_WIDTH) {
        rebuild_f32(rows, n, S, packed, tables, scale, out);
    } else {
        sdk_f32_po2_rebuild__scalar(rows, n, S, packed, tables, scale, out);
    }
}

/// `count` <= 32 rows; the parts of 16 rows are stored one after another.
INLINE void rebuild32(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane, int high,
                      const int8_t *tables, const uint8_t index[][SDK_VECTOR_WIDTH][16],
                      int8_t *out) {
    __m256i w[SDK_VECTOR_WIDTH];
    uint8_t tail[32];
    for (size_t j = 0; j < n; j++) {
        const uint8_t *from = p + j * plane;
        if (count < 32) {
            memset(tail, 0, sizeof tail);
            memcpy(tail, from, count);
            from = tail;
        }
        __m256i nibble = _mm256_loadu_si256((const __m256i *)from);
        if (high) nibble = _mm256_srli_epi16(nibble, 4);
        nibble = _mm256_and_si256(nibble, _mm256_set1_epi8(15));
        for (size_t t = 0; t < S; t++) {
            __m256i table = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const __m128i *)(tables + (j * S + t) * 16)));
            __m256i value = _mm256_shuffle_epi8(table, nibble);
            w[t] = j == 0 ? value : _mm256_add_epi8(w[t], value);
        }
    }
    int8_t whole[32 * SDK_VECTOR_WIDTH];
    int8_t *to = count == 32 ? out : whole;
    for (size_t v = 0; v < S; v++) {
        __m256i part = _mm256_setzero_si256();
        for (size_t t = 0; t < S; t++) {
            __m256i from =
                _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)index[v][t]));
            part = _mm256_or_si256(part, _mm256_shuffle_epi8(w[t], from));
        }
        _mm_storeu_si128((__m128i *)(to + v * 16), _mm256_castsi256_si128(part));
        _mm_storeu_si128((__m128i *)(to + S * 16 + v * 16), _mm256_extracti128_si256(part, 1));
    }
    if (to == whole) memcpy(out, whole, count * S);
}

INLINE void rebuild_s8(size_t rows, size_t n, size_t S, const uint8_t *packed,
                       const int8_t *tables, int8_t *out) {
    uint8_t index[SDK_VECTOR_WIDTH][SDK_VECTOR_WIDTH][16];
    sdk_interleave_bytes(S, index);
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        for (size_t i = 0; i < half; i += 32) {
            size_t count = half - i < 32 ? half - i : 32;
            rebuild32(count, n, S, packed + i, half, 0, tables, index, out + i * S);
        }
        for (size_t i = 0; i < chunk - half; i += 32) {
            size_t count = chunk - half - i < 32 ? chunk - half - i : 32;
            rebuild32(count, n, S, packed + i, half, 1, tables, index, out + (half + i) * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_s8_po2_rebuild__avx2(size_t rows, size_t n, size_t S, const uint8_t *packed,
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
