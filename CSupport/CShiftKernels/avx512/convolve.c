// convolve.c - 32 filters are two registers; a tile of 14 pixels is 28 registers of sums.
#include "convolve_job.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SDK_VARIANT(name) sdk_##name##__avx512
#define SDK_TILE 14
#define SDK_CONVOLVE SDK_VARIANT(u8_s8_convolve)
typedef uint8_t convolve_in;
typedef uint8_t convolve_lane;
typedef void convolve_out;
enum { CONVOLVE_SLOT = SDK_CONVOLVE_BLOCK };

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

#include "convolve_permute.h"

enum { CONVOLVE_PASS = SDK_CONVOLVE_FILTERS, CONVOLVE_PARTS = 2 };
typedef __m512i convolve_register;

INLINE __m512i start(const convolve_job *job, size_t filter, size_t v) {
    return _mm512_loadu_si512(job->convolution->correction + job->first + filter + 16 * v);
}

INLINE void add_word(__m512i sums[SDK_TILE][2], const uint8_t *weights, const uint8_t *x,
                     const uint8_t *rest, size_t P, size_t V) {
    __m512i w0 = _mm512_loadu_si512(weights);
    __m512i w1 = V > 1 ? _mm512_loadu_si512(weights + 64) : w0;
    UNROLL for (size_t p = 0; p < P; p++) {
        int32_t four;
        memcpy(&four, (p < P / 2 ? x : rest) + p * CONVOLVE_SLOT, 4);
        __m512i value = _mm512_set1_epi32(four);
        sums[p][0] = _mm512_dpbusd_epi32(sums[p][0], value, w0);
        if (V > 1) sums[p][1] = _mm512_dpbusd_epi32(sums[p][1], value, w1);
    }
}

/// Results of pixel `p`, not yet limited.
INLINE void results(const convolve_job *job, __m512i sums[SDK_TILE][2], size_t p, size_t V,
                    int has_residual, __mmask32 filters, __m512 y[2]) {
    const sdk_convolution *c = job->convolution;
    __m256i other = _mm256_setzero_si256();
    if (has_residual) {
        const uint8_t *residual = (const uint8_t *)job->residual + p * c->out_channels;
        other = _mm256_maskz_loadu_epi8(filters, residual);
    }
    UNROLL for (size_t v = 0; v < V; v++) {
        __m512 scale = _mm512_loadu_ps(c->scale + job->first + 16 * v);
        __m512 bias = _mm512_loadu_ps(c->bias + job->first + 16 * v);
        y[v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[p][v]), scale, bias);
        if (has_residual) {
            __m128i part = v ? _mm256_extracti128_si256(other, 1) : _mm256_castsi256_si128(other);
            __m512 r = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(part));
            y[v] = _mm512_fmadd_ps(r, _mm512_set1_ps(c->residual_scale), y[v]);
        }
    }
}

/// Sums become u8 by saturation, which limits, rounds and narrows two pixels in six instructions.
INLINE void saturate(const convolve_job *job, __m512i sums[SDK_TILE][2], size_t P, size_t V,
                     int has_residual, int is_whole) {
    // Packing goes by lanes of 16 bytes.
    __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i zero = _mm512_set1_epi16(job->convolution->out_zero);
    __mmask32 filters = (__mmask32)(((uint64_t)1 << job->filters) - 1);
    size_t pitch = job->convolution->out_channels;
    UNROLL for (size_t p = 0; p < P; p += 2) {
        __m512i words[2];
        UNROLL for (size_t i = 0; i < 2 && p + i < P; i++) {
            __m512 y[2];
            results(job, sums, p + i, V, has_residual, is_whole ? ~(__mmask32)0 : filters, y);
            __m512i q0 = _mm512_cvtps_epi32(y[0]);
            __m512i q1 = V > 1 ? _mm512_cvtps_epi32(y[1]) : q0;
            words[i] = _mm512_adds_epi16(_mm512_packs_epi32(q0, q1), zero);
        }
        __m512i both = _mm512_packus_epi16(words[0], words[p + 1 < P]);
        __m512i bytes = _mm512_permutexvar_epi32(order, both);
        UNROLL for (size_t i = 0; i < 2 && p + i < P; i++) {
            __m256i half = i ? _mm512_extracti64x4_epi64(bytes, 1) : _mm512_castsi512_si256(bytes);
            uint8_t *out = job->out + (p + i) * pitch;
            if (is_whole) {
                _mm256_storeu_si256((__m256i *)out, half);
            } else {
                _mm256_mask_storeu_epi8(out, filters, half);
            }
        }
    }
}

/// Sums become floats, or u8 between any limits.
INLINE void limit(const convolve_job *job, __m512i sums[SDK_TILE][2], size_t P, size_t V) {
    const sdk_convolution *c = job->convolution;
    __m512 low = _mm512_set1_ps(c->low), high = _mm512_set1_ps(c->high);
    // Adding it leaves a float rounded to a whole number in its lowest bits; its own are zero.
    __m512 whole = _mm512_set1_ps(0x1.8p23f);
    __m256i zero = _mm256_set1_epi8((char)c->out_zero);
    __m512i lowest = _mm512_castsi256_si512(_mm256_setr_epi8(
        0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 84, 88,
        92, 96, 100, 104, 108, 112, 116, 120, 124));
    __mmask32 filters = (__mmask32)(((uint64_t)1 << job->filters) - 1);
    size_t pitch = c->out_channels;
    UNROLL for (size_t p = 0; p < P; p++) {
        __m512 y[2];
        results(job, sums, p, V, job->residual != NULL, filters, y);
        UNROLL for (size_t v = 0; v < V; v++) {
            y[v] = _mm512_min_ps(_mm512_max_ps(y[v], low), high);
        }
        if (job->floats) {
            UNROLL for (size_t v = 0; v < V; v++) {
                _mm512_mask_storeu_ps(job->floats + p * pitch + 16 * v,
                                      (__mmask16)(filters >> 16 * v), y[v]);
            }
            continue;
        }
        __m512i q0 = _mm512_castps_si512(_mm512_add_ps(y[0], whole));
        __m512i q1 = V > 1 ? _mm512_castps_si512(_mm512_add_ps(y[1], whole)) : q0;
        __m256i q = _mm512_castsi512_si256(_mm512_permutex2var_epi8(q0, lowest, q1));
        _mm256_mask_storeu_epi8(job->out + p * pitch, filters, _mm256_add_epi8(q, zero));
    }
}

INLINE void finish(const convolve_job *job, __m512i sums[SDK_TILE][2], size_t filter, size_t P,
                   size_t V) {
    (void)filter;
    int is_whole = V == 2 && job->filters == SDK_CONVOLVE_FILTERS;
    if (!job->saturates) {
        limit(job, sums, P, V);
    } else if (is_whole && job->residual) {
        saturate(job, sums, P, V, 1, 1);
    } else if (is_whole) {
        saturate(job, sums, P, V, 0, 1);
    } else {
        saturate(job, sums, P, V, job->residual != NULL, 0);
    }
}

#include "convolve_fourteen.h"
#include "convolve_drive.h"

SDK_TARGET_END
#endif
