// convolve_floats_body.h - the convolution of floats in registers of SDK_PART floats. Included by
// the convolve_floats.c of an instruction set inside its target region, which defines SDK_VARIANT
// and SDK_PART.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SDK_TILE 6
#define SDK_CONVOLVE SDK_VARIANT(f32_convolve)
typedef float convolve_in;
typedef float convolve_lane;
typedef float convolve_out;
enum { CONVOLVE_SLOT = SDK_CONVOLVE_BLOCK };
#include "convolve_gather.h"

static void gather_slots(const sdk_convolve_list *list, const uint8_t *const *rows, size_t pixel,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    (void)channels;
    gather_singly(list, rows, pixel, count, to, pitch);
}

typedef float convolve_f32 __attribute__((ext_vector_type(SDK_PART)));

/// Filters whose sums are in registers together: of AVX2's 16 registers a tile takes 12 for sums.
enum { CONVOLVE_PASS = 16, CONVOLVE_PARTS = CONVOLVE_PASS / SDK_PART };

typedef convolve_f32 convolve_register;

INLINE convolve_f32 start(const convolve_job *job, size_t filter, size_t v) {
    convolve_f32 bias;
    memcpy(&bias, job->convolution->bias + job->first + filter + v * SDK_PART, sizeof bias);
    return bias;
}

INLINE void add_word(convolve_f32 sums[SDK_TILE][CONVOLVE_PARTS], const uint8_t *weights,
                     const uint8_t *x, const uint8_t *rest, size_t P, size_t V) {
    convolve_f32 w[CONVOLVE_PARTS];
    UNROLL for (size_t v = 0; v < V; v++) memcpy(w + v, weights + v * sizeof *w, sizeof *w);
    UNROLL for (size_t p = 0; p < P; p++) {
        convolve_f32 value = *(const float *)((p < P / 2 ? x : rest) + p * CONVOLVE_SLOT);
        UNROLL for (size_t v = 0; v < V; v++) {
            sums[p][v] = __builtin_elementwise_fma(value, w[v], sums[p][v]);
        }
    }
}

/// Sums of one pixel and the filters from `filter` of the group on become the output.
INLINE void finish_pixel(const convolve_job *job, const convolve_f32 *sums, size_t filter,
                         size_t p) {
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

INLINE void finish(const convolve_job *job, convolve_f32 sums[SDK_TILE][CONVOLVE_PARTS],
                   size_t filter, size_t P, size_t V) {
    (void)V;
    UNROLL for (size_t p = 0; p < P; p++) finish_pixel(job, sums[p], filter, p);
}

#include "convolve_six.h"
#include "convolve_drive.h"
