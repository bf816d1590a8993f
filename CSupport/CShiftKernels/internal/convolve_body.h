// convolve_body.h - the convolution of integers where sums of products of four bytes are made of
// 16-bit ones. Included by the convolve.c of an instruction set inside its target region, which
// defines SDK_VARIANT, SDK_PART (numbers of 32 bits in a register), gather_slots as
// convolve_drive.h has it, and
//     convolve_i32 add_products(convolve_i32 sums, convolve_i16 a, convolve_i16 b)
// which adds a[2i] b[2i] + a[2i + 1] b[2i + 1] to sums[i].
//
// Products of a u8 and an s8 added in pairs leave 16 bits, so both are widened: activations when they
// are compacted, weights for each tile. Two neighbouring sums are one filter's: of its first two
// positions of a word, and of the others.
#define SDK_TILE 6
#define SDK_CONVOLVE SDK_VARIANT(u8_s8_convolve)

/// Filters whose sums are in registers together: of AVX2's 16 registers a tile takes 12 for sums.
enum { CONVOLVE_PASS = 8, CONVOLVE_PARTS = 2 * CONVOLVE_PASS / SDK_PART };
typedef convolve_i32 convolve_register;

INLINE convolve_i32 start(const convolve_job *job, size_t filter, size_t v) {
    convolve_i32 first = 0;
    const int32_t *correction =
        job->convolution->correction + job->first + filter + v * SDK_PART / 2;
    UNROLL for (size_t i = 0; i < SDK_PART / 2; i++) first[2 * i] = correction[i];
    return first;
}

INLINE void add_word(convolve_i32 sums[SDK_TILE][CONVOLVE_PARTS], const uint8_t *weights,
                     const uint8_t *x, const uint8_t *rest, size_t P, size_t V) {
    convolve_i16 w[CONVOLVE_PARTS];
    UNROLL for (size_t v = 0; v < V; v++) {
        convolve_s8 bytes;
        memcpy(&bytes, weights + v * sizeof bytes, sizeof bytes);
        w[v] = __builtin_convertvector(bytes, convolve_i16);
    }
    UNROLL for (size_t p = 0; p < P; p++) {
        uint64_t four;
        memcpy(&four, (p < P / 2 ? x : rest) + p * CONVOLVE_SLOT, sizeof four);
        convolve_i16 value = (convolve_i16)(convolve_u64)four;
        UNROLL for (size_t v = 0; v < V; v++) sums[p][v] = add_products(sums[p][v], value, w[v]);
    }
}

/// Sums of one pixel and the filters from `filter` of the group on become the output.
INLINE void finish_pixel(const convolve_job *job, const convolve_i32 *pairs, size_t filter,
                         size_t p) {
    const sdk_convolution *c = job->convolution;
    size_t count = sdk_least(job->filters - filter, CONVOLVE_PASS);
    size_t at = p * c->out_channels + filter;
    uint8_t bytes[CONVOLVE_PASS] = {0};
    float floats[CONVOLVE_PASS];
    const uint8_t *residual = job->residual;
    if (residual && count == CONVOLVE_PASS) {
        memcpy(bytes, residual + at, CONVOLVE_PASS);
    } else if (residual) {
        memcpy(bytes, residual + at, count);
    }
    UNROLL for (size_t v = 0; v < CONVOLVE_PARTS / 2; v++) {
        convolve_i32 sums = add_neighbours(pairs[2 * v], pairs[2 * v + 1]);
        convolve_f32 scale, bias, low = c->low, high = c->high, factor = c->residual_scale;
        memcpy(&scale, c->scale + job->first + filter + v * SDK_PART, sizeof scale);
        memcpy(&bias, c->bias + job->first + filter + v * SDK_PART, sizeof bias);
        convolve_f32 y = __builtin_elementwise_fma(
            __builtin_convertvector(sums, convolve_f32), scale, bias);
        if (residual) {
            convolve_u8 other;
            memcpy(&other, bytes + v * SDK_PART, SDK_PART);
            y = __builtin_elementwise_fma(__builtin_convertvector(other, convolve_f32), factor, y);
        }
        y = y > low ? y : low;
        y = y < high ? y : high;
        if (job->floats) {
            memcpy(floats + v * SDK_PART, &y, sizeof y);
        } else {
            convolve_i32 q = __builtin_convertvector(__builtin_elementwise_roundeven(y),
                                                     convolve_i32) + c->out_zero;
            convolve_u8 narrow = __builtin_convertvector(q, convolve_u8);
            memcpy(bytes + v * SDK_PART, &narrow, SDK_PART);
        }
    }
    if (job->floats) {
        memcpy(job->floats + at, floats, count * sizeof *floats);
    } else if (count == CONVOLVE_PASS) {
        memcpy(job->out + at, bytes, CONVOLVE_PASS);
    } else {
        memcpy(job->out + at, bytes, count);
    }
}

INLINE void finish(const convolve_job *job, convolve_i32 sums[SDK_TILE][CONVOLVE_PARTS],
                   size_t filter, size_t P, size_t V) {
    (void)V;
    UNROLL for (size_t p = 0; p < P; p++) finish_pixel(job, sums[p], filter, p);
}

#include "convolve_six.h"
#include "convolve_drive.h"
