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
typedef void convolve_out;

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

#include "convolve_permute.h"

/// The ways out: u8 of 32 filters, the same with a residual, everything else.
enum { PLAIN, RESIDUAL, ANY };

/// Sums of `P` pixels of `V` registers of filters become the output.
INLINE void finish(const convolve_job *job, __m512i sums[SDK_TILE][2], size_t P, size_t V,
                   int way) {
    const sdk_convolution *c = job->convolution;
    __m512 low = _mm512_set1_ps(c->low), high = _mm512_set1_ps(c->high);
    __m512 factor = _mm512_set1_ps(c->residual_scale);
    __m512 scale[2], bias[2];
    UNROLL for (size_t v = 0; v < V; v++) {
        scale[v] = _mm512_loadu_ps(c->scale + job->first + 16 * v);
        bias[v] = _mm512_loadu_ps(c->bias + job->first + 16 * v);
    }
    // Adding it leaves a float rounded to a whole number in its lowest bits; its own are zero.
    __m512 whole = _mm512_set1_ps(0x1.8p23f);
    __m256i zero = _mm256_set1_epi8((char)c->out_zero);
    __m512i lowest = _mm512_castsi256_si512(_mm256_setr_epi8(
        0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 84, 88,
        92, 96, 100, 104, 108, 112, 116, 120, 124));
    __mmask32 filters = (__mmask32)(((uint64_t)1 << job->filters) - 1);
    size_t pitch = c->out_channels;
    const uint8_t *residual = job->residual;
    uint8_t *out = job->out;
    float *floats = job->floats;
    UNROLL for (size_t p = 0; p < P; p++) {
        __m512 y[2];
        __m256i other = _mm256_setzero_si256();
        int has_residual = way == RESIDUAL || (way == ANY && residual);
        if (way == RESIDUAL) {
            other = _mm256_loadu_si256((const __m256i *)(residual + p * pitch));
        } else if (has_residual) {
            other = _mm256_maskz_loadu_epi8(filters, residual + p * pitch);
        }
        UNROLL for (size_t v = 0; v < V; v++) {
            y[v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[p][v]), scale[v], bias[v]);
            if (has_residual) {
                __m128i part = v ? _mm256_extracti128_si256(other, 1)
                                 : _mm256_castsi256_si128(other);
                __m512 r = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(part));
                y[v] = _mm512_fmadd_ps(r, factor, y[v]);
            }
            y[v] = _mm512_min_ps(_mm512_max_ps(y[v], low), high);
        }
        if (way == ANY && floats) {
            UNROLL for (size_t v = 0; v < V; v++) {
                _mm512_mask_storeu_ps(floats + p * pitch + 16 * v,
                                      (__mmask16)(filters >> 16 * v), y[v]);
            }
            continue;
        }
        __m512i q0 = _mm512_castps_si512(_mm512_add_ps(y[0], whole));
        __m512i q1 = V > 1 ? _mm512_castps_si512(_mm512_add_ps(y[1], whole)) : q0;
        __m256i q = _mm512_castsi512_si256(_mm512_permutex2var_epi8(q0, lowest, q1));
        q = _mm256_add_epi8(q, zero);
        if (way == ANY) {
            _mm256_mask_storeu_epi8(out + p * pitch, filters, q);
        } else {
            _mm256_storeu_si256((__m256i *)(out + p * pitch), q);
        }
    }
}

/// A tile of `P` pixels and `V` registers of 16 filters.
INLINE void tile(const convolve_job *job, size_t P, size_t V) {
    const sdk_convolution *c = job->convolution;
    __m512i sums[SDK_TILE][2];
    UNROLL for (size_t v = 0; v < V; v++) {
        __m512i begin = _mm512_loadu_si512(c->correction + job->first + 16 * v);
        UNROLL for (size_t p = 0; p < P; p++) sums[p][v] = begin;
    }
    const int8_t *weights = job->group->weights;
    const uint8_t *slots = job->slots;
    for (size_t left = job->group->kept / 4; left > 0; slots += job->pitch) {
        size_t quads = sdk_least(left, SDK_CONVOLVE_BLOCK / 4);
        left -= quads;
        for (size_t t = 0; t < c->columns.taps; t++) {
            const uint8_t *x = slots + (size_t)job->taps[t] * SDK_CONVOLVE_BLOCK;
            for (size_t k = 0; k < quads; k++, x += 4, weights += 4 * SDK_CONVOLVE_FILTERS) {
                __m512i w0 = _mm512_loadu_si512(weights);
                __m512i w1 = V > 1 ? _mm512_loadu_si512(weights + 64) : w0;
                UNROLL for (size_t p = 0; p < P; p++) {
                    int32_t four;
                    memcpy(&four, x + p * SDK_CONVOLVE_BLOCK, 4);
                    __m512i value = _mm512_set1_epi32(four);
                    sums[p][0] = _mm512_dpbusd_epi32(sums[p][0], value, w0);
                    if (V > 1) sums[p][1] = _mm512_dpbusd_epi32(sums[p][1], value, w1);
                }
            }
        }
    }
    if (V < 2 || job->floats || job->filters < SDK_CONVOLVE_FILTERS) {
        finish(job, sums, P, V, ANY);
    } else if (job->residual) {
        finish(job, sums, P, V, RESIDUAL);
    } else {
        finish(job, sums, P, V, PLAIN);
    }
}

#include "convolve_tiles.h"
#include "convolve_drive.h"

SDK_TARGET_END
#endif
