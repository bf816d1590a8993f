// convolve_floats.c - 32 filters are two registers; a tile of 14 pixels is 28 registers of sums.
#include "convolve_job.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SDK_VARIANT(name) sdk_##name##__avx512
#define SDK_TILE 14
#define SDK_CONVOLVE SDK_VARIANT(f32_convolve)
typedef float convolve_in;
typedef float convolve_out;

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

#include "convolve_permute.h"

enum { IN_BLOCK = SDK_CONVOLVE_BLOCK / sizeof(float) };

/// A tile of `P` pixels and `V` registers of 16 filters.
INLINE void tile(const convolve_job *job, size_t P, size_t V) {
    const sdk_convolution *c = job->convolution;
    __m512 sums[SDK_TILE][2];
    UNROLL for (size_t v = 0; v < V; v++) {
        __m512 bias = _mm512_loadu_ps(c->bias + job->first + 16 * v);
        UNROLL for (size_t p = 0; p < P; p++) sums[p][v] = bias;
    }
    const float *weights = job->group->weights;
    const uint8_t *slots = job->slots;
    for (size_t left = job->group->kept; left > 0; slots += job->pitch) {
        size_t count = sdk_least(left, IN_BLOCK);
        left -= count;
        for (size_t t = 0; t < c->columns.taps; t++) {
            const float *x = (const float *)(slots + (size_t)job->taps[t] * SDK_CONVOLVE_BLOCK);
            for (size_t k = 0; k < count; k++, x++, weights += SDK_CONVOLVE_FILTERS) {
                __m512 w0 = _mm512_loadu_ps(weights);
                __m512 w1 = V > 1 ? _mm512_loadu_ps(weights + 16) : w0;
                UNROLL for (size_t p = 0; p < P; p++) {
                    __m512 value = _mm512_set1_ps(x[p * IN_BLOCK]);
                    sums[p][0] = _mm512_fmadd_ps(value, w0, sums[p][0]);
                    if (V > 1) sums[p][1] = _mm512_fmadd_ps(value, w1, sums[p][1]);
                }
            }
        }
    }
    __m512 low = _mm512_set1_ps(c->low), high = _mm512_set1_ps(c->high);
    uint32_t filters = (uint32_t)(((uint64_t)1 << job->filters) - 1);
    const float *residual = job->residual;
    UNROLL for (size_t p = 0; p < P; p++) {
        UNROLL for (size_t v = 0; v < V; v++) {
            __mmask16 part = (__mmask16)(filters >> 16 * v);
            size_t at = p * c->out_channels + 16 * v;
            __m512 y = sums[p][v];
            if (residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(part, residual + at));
            // Of two of which one is NaN they return the second.
            y = _mm512_min_ps(high, _mm512_max_ps(low, y));
            _mm512_mask_storeu_ps(job->floats + at, part, y);
        }
    }
}

#include "convolve_tiles.h"
#include "convolve_drive.h"

SDK_TARGET_END
#endif
