// convolve_body.h - the convolution of integers where sums of products of four bytes are made of
// 16-bit ones. Included by the convolve.c of an instruction set inside its target region, which
// defines SDK_VARIANT, SDK_PART (filters a register) and
//     convolve_i32 add_products(convolve_i32 sums, convolve_i16 a, convolve_i16 b)
// which adds a[2i] b[2i] + a[2i + 1] b[2i + 1] to sums[i].
//
// Products of a u8 and an s8 added in pairs leave 16 bits, so both are widened: the even bytes of
// four and the odd ones, each a pair of 16-bit numbers.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SDK_TILE 4
#define SDK_CONVOLVE SDK_VARIANT(u8_s8_convolve)
typedef uint8_t convolve_in;
typedef void convolve_out;
#include "convolve_gather.h"
/// Filters whose sums are in registers together.
enum { CONVOLVE_PASS = 16, CONVOLVE_PARTS = CONVOLVE_PASS / SDK_PART };

typedef convolve_i32 convolve_register;
#define CONVOLVE_START correction

INLINE void add_word(convolve_i32 sums[SDK_TILE][CONVOLVE_PARTS], const uint8_t *weights,
                     const uint8_t *x, const uint8_t *rest, size_t P, size_t V) {
    convolve_i16 even[CONVOLVE_PARTS], odd[CONVOLVE_PARTS];
    UNROLL for (size_t v = 0; v < V; v++) {
        convolve_u16 w;
        memcpy(&w, weights + v * sizeof w, sizeof w);
        even[v] = (convolve_i16)(w << 8) >> 8;
        odd[v] = (convolve_i16)w >> 8;
    }
    UNROLL for (size_t p = 0; p < P; p++) {
        int32_t four;
        memcpy(&four, (p < P / 2 ? x : rest) + p * SDK_CONVOLVE_BLOCK, 4);
        convolve_u16 value = (convolve_u16)(convolve_i32)four;
        convolve_i16 low = (convolve_i16)(value & 0xFF);
        convolve_i16 high = (convolve_i16)(value >> 8);
        UNROLL for (size_t v = 0; v < V; v++) {
            sums[p][v] = add_products(sums[p][v], low, even[v]);
            sums[p][v] = add_products(sums[p][v], high, odd[v]);
        }
    }
}

/// Sums of one pixel and the filters from `filter` of the group on become the output.
INLINE void finish_pixel(const convolve_job *job, const convolve_i32 *sums, size_t filter, size_t p) {
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
    UNROLL for (size_t v = 0; v < CONVOLVE_PARTS; v++) {
        convolve_f32 scale, bias, low = c->low, high = c->high, factor = c->residual_scale;
        memcpy(&scale, c->scale + job->first + filter + v * SDK_PART, sizeof scale);
        memcpy(&bias, c->bias + job->first + filter + v * SDK_PART, sizeof bias);
        convolve_f32 y = __builtin_elementwise_fma(
            __builtin_convertvector(sums[v], convolve_f32), scale, bias);
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

#include "convolve_tile.h"

INLINE void run_tile(const convolve_job *job, size_t pixels) {
    switch (pixels) {
    case 4: tile(job, 4, CONVOLVE_PARTS); break;
    case 3: tile(job, 3, CONVOLVE_PARTS); break;
    case 2: tile(job, 2, CONVOLVE_PARTS); break;
    default: tile(job, 1, CONVOLVE_PARTS); break;
    }
}

#include "convolve_drive.h"
