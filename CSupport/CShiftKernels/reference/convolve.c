// convolve.c - the convolution of integers as people should read it, and how it is packed.
#include <math.h>

#include "convolve_job.h"

#pragma STDC FP_CONTRACT OFF

/// The weight of filter `f` of a group at kept position `k` and column tap `t` of `taps`.
static int weight_at(const sdk_convolve_group *group, size_t taps, size_t f, size_t k, size_t t) {
    size_t block = k / SDK_CONVOLVE_BLOCK * SDK_CONVOLVE_BLOCK;
    size_t quads = sdk_least(group->kept - block, SDK_CONVOLVE_BLOCK) / 4;
    size_t quad = block / 4 * taps + t * quads + (k - block) / 4;
    return ((const int8_t *)group->weights)[(quad * SDK_CONVOLVE_FILTERS + f) * 4 + k % 4];
}

void sdk_u8_s8_convolve__scalar(const sdk_convolution *c, size_t first_row, size_t end_row,
                                size_t first_group, size_t end_group, const uint8_t *in,
                                const uint8_t *residual, void *out, uint8_t *scratch) {
    (void)scratch;
    size_t width = c->columns.out_size;
    size_t end = sdk_least(end_group * SDK_CONVOLVE_FILTERS, c->out_channels);
    for (size_t i = first_row * width; i < end_row * width; i++) {
        for (size_t o = first_group * SDK_CONVOLVE_FILTERS; o < end; o++) {
            const sdk_convolve_group *group = c->groups + o / SDK_CONVOLVE_FILTERS;
            uint32_t sum = (uint32_t)c->correction[o];
            for (size_t k = 0; k < group->kept; k++) {
                size_t y = sdk_convolve_index(&c->rows, i / width, group->positions[k] & 0xFFFF);
                for (size_t t = 0; t < c->columns.taps; t++) {
                    size_t x = sdk_convolve_index(&c->columns, i % width, t);
                    int value = c->in_zero;
                    if (y < c->rows.in_size && x < c->columns.in_size) {
                        value = in[(y * c->columns.in_size + x) * c->in_channels +
                                   (group->positions[k] >> 16)];
                    }
                    sum += (uint32_t)(value * weight_at(group, c->columns.taps,
                                                        o % SDK_CONVOLVE_FILTERS, k, t));
                }
            }
            size_t at = i * c->out_channels + o;
            float y = fmaf((float)(int32_t)sum, c->scale[o], c->bias[o]);
            if (residual) y = fmaf(residual[at], c->residual_scale, y);
            y = y > c->low ? y : c->low;
            y = y < c->high ? y : c->high;
            if (c->float_output) {
                ((float *)out)[at] = y;
            } else {
                ((uint8_t *)out)[at] = (uint8_t)(int)(nearbyintf(y) + c->out_zero);
            }
        }
    }
}

void sdk_convolve_pack(size_t filters, size_t in_channels, size_t row_taps, size_t column_taps,
                       const int8_t *weights, size_t kept, const uint32_t *positions,
                       uint8_t in_zero, int8_t *packed, int32_t *correction) {
    memset(packed, 0, (kept + 3) / 4 * 4 * column_taps * SDK_CONVOLVE_FILTERS);
    for (size_t block = 0; block < kept; block += SDK_CONVOLVE_BLOCK) {
        size_t count = sdk_least(kept - block, SDK_CONVOLVE_BLOCK), quads = (count + 3) / 4;
        for (size_t f = 0; f < filters; f++) {
            const int8_t *from = weights + f * in_channels * row_taps * column_taps;
            uint32_t sum = 0;
            for (size_t k = 0; k < count; k++) {
                uint32_t position = positions[block + k];
                size_t row = (position >> 16) * row_taps + (position & 0xFFFF);
                for (size_t t = 0; t < column_taps; t++) {
                    int8_t weight = from[row * column_taps + t];
                    size_t quad = t * quads + k / 4;
                    packed[(quad * SDK_CONVOLVE_FILTERS + f) * 4 + k % 4] = weight;
                    sum += (uint32_t)weight;
                }
            }
            correction[f] = (int32_t)((uint32_t)correction[f] - in_zero * sum);
        }
        packed += quads * column_taps * SDK_CONVOLVE_FILTERS * 4;
    }
}
