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
typedef float convolve_lane;
typedef float convolve_out;
enum { CONVOLVE_SLOT = SDK_CONVOLVE_BLOCK };

SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

#include "convolve_permute.h"

enum { CONVOLVE_PASS = SDK_CONVOLVE_FILTERS, CONVOLVE_PARTS = 2 };
typedef __m512 convolve_register;

INLINE __m512 start(const convolve_job *job, size_t filter, size_t v) {
    return _mm512_loadu_ps(job->convolution->bias + job->first + filter + 16 * v);
}

INLINE void add_word(__m512 sums[SDK_TILE][2], const uint8_t *weights, const uint8_t *x,
                     const uint8_t *rest, size_t P, size_t V) {
    __m512 w0 = _mm512_loadu_ps(weights);
    __m512 w1 = V > 1 ? _mm512_loadu_ps(weights + 64) : w0;
    UNROLL for (size_t p = 0; p < P; p++) {
        __m512 value = _mm512_set1_ps(*(const float *)((p < P / 2 ? x : rest) + p * CONVOLVE_SLOT));
        sums[p][0] = _mm512_fmadd_ps(value, w0, sums[p][0]);
        if (V > 1) sums[p][1] = _mm512_fmadd_ps(value, w1, sums[p][1]);
    }
}

INLINE void finish(const convolve_job *job, __m512 sums[SDK_TILE][2], size_t filter, size_t P,
                   size_t V) {
    (void)filter;
    const sdk_convolution *c = job->convolution;
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

#include "convolve_fourteen.h"
#include "convolve_drive.h"

SDK_TARGET_END
#endif
