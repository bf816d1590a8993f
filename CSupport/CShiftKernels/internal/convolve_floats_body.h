// convolve_floats_body.h - the convolution of floats in registers of SDK_PART floats. Included by
// the convolve_floats.c of an instruction set inside its target region, which defines SDK_VARIANT
// and SDK_PART.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SDK_TILE 6
#define SDK_CONVOLVE SDK_VARIANT(f32_convolve)
typedef float convolve_in;
typedef float convolve_out;
#include "convolve_gather.h"

typedef float convolve_f32 __attribute__((ext_vector_type(SDK_PART)));

/// Filters whose sums are in registers together: of AVX2's 16 registers a tile takes 12 for sums.
enum { CONVOLVE_PASS = 16, CONVOLVE_PARTS = CONVOLVE_PASS / SDK_PART };
enum { IN_BLOCK = SDK_CONVOLVE_BLOCK / sizeof(float) };

/// Sums of one pixel and the filters from `filter` of the group on become the output.
INLINE void finish(const convolve_job *job, const convolve_f32 *sums, size_t filter, size_t p) {
    const sdk_convolution *c = job->convolution;
    size_t count = sdk_least(job->filters - filter, CONVOLVE_PASS);
    size_t at = p * c->out_channels + filter;
    float results[CONVOLVE_PASS] = {0};
    const float *residual = job->residual;
    if (residual) memcpy(results, residual + at, count * sizeof(float));
    UNROLL for (size_t v = 0; v < CONVOLVE_PARTS; v++) {
        convolve_f32 y = sums[v], low = c->low, high = c->high;
        if (residual) {
            convolve_f32 other;
            memcpy(&other, results + v * SDK_PART, sizeof other);
            y += other;
        }
        y = low > y ? low : y;
        y = high < y ? high : y;
        memcpy(results + v * SDK_PART, &y, sizeof y);
    }
    if (count == CONVOLVE_PASS) {
        memcpy(job->floats + at, results, sizeof results);
    } else {
        memcpy(job->floats + at, results, count * sizeof(float));
    }
}

/// A tile of `P` pixels.
INLINE void tile(const convolve_job *job, size_t P) {
    const sdk_convolution *c = job->convolution;
    for (size_t filter = 0; filter < job->filters; filter += CONVOLVE_PASS) {
        convolve_f32 sums[SDK_TILE][CONVOLVE_PARTS];
        UNROLL for (size_t v = 0; v < CONVOLVE_PARTS; v++) {
            convolve_f32 bias;
            memcpy(&bias, c->bias + job->first + filter + v * SDK_PART, sizeof bias);
            UNROLL for (size_t p = 0; p < P; p++) sums[p][v] = bias;
        }
        const float *weights = (const float *)job->group->weights + filter;
        const uint8_t *slots = job->slots;
        for (size_t left = job->group->kept; left > 0; slots += job->pitch) {
            size_t count = sdk_least(left, IN_BLOCK);
            left -= count;
            for (size_t t = 0; t < c->columns.taps; t++) {
                const float *x =
                    (const float *)(slots + (size_t)job->taps[t] * SDK_CONVOLVE_BLOCK);
                for (size_t k = 0; k < count; k++, x++, weights += SDK_CONVOLVE_FILTERS) {
                    convolve_f32 w[CONVOLVE_PARTS];
                    UNROLL for (size_t v = 0; v < CONVOLVE_PARTS; v++) {
                        memcpy(w + v, weights + v * SDK_PART, sizeof *w);
                    }
                    UNROLL for (size_t p = 0; p < P; p++) {
                        convolve_f32 value = x[p * IN_BLOCK];
                        UNROLL for (size_t v = 0; v < CONVOLVE_PARTS; v++) {
                            sums[p][v] = __builtin_elementwise_fma(value, w[v], sums[p][v]);
                        }
                    }
                }
            }
        }
        UNROLL for (size_t p = 0; p < P; p++) finish(job, sums[p], filter, p);
    }
}

INLINE void run_tile(const convolve_job *job, size_t pixels) {
    switch (pixels) {
    case 6: tile(job, 6); break;
    case 5: tile(job, 5); break;
    case 4: tile(job, 4); break;
    case 3: tile(job, 3); break;
    case 2: tile(job, 2); break;
    default: tile(job, 1); break;
    }
}

#include "convolve_drive.h"
