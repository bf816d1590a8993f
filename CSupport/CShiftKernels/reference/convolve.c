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
                                size_t first_list, size_t end_list, const uint8_t *in,
                                const uint8_t *residual, void *out, uint8_t *scratch) {
    (void)scratch;
    if (first_list >= end_list) return;
    size_t width = c->columns.out_size;
    size_t first = c->lists[first_list].first_group * SDK_CONVOLVE_FILTERS;
    size_t end = sdk_least(c->lists[end_list - 1].end_group * SDK_CONVOLVE_FILTERS,
                           c->out_channels);
    for (size_t i = first_row * width; i < end_row * width; i++) {
        for (size_t o = first; o < end; o++) {
            const sdk_convolve_group *group = c->groups + o / SDK_CONVOLVE_FILTERS;
            uint32_t sum = (uint32_t)c->correction[o];
            for (size_t k = 0; k < group->kept; k++) {
                size_t y = sdk_convolve_index(&c->rows, i / width, group->positions[k] & 0xFFFF);
                for (size_t t = 0; t < c->columns.taps; t++) {
                    size_t x = sdk_convolve_index(&c->columns, i % width, t);
                    size_t from = sdk_convolve_element(c, y, x, group->positions[k] >> 16);
                    int value = from == SIZE_MAX ? c->in_zero : in[from];
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

void sdk_convolve_pack(const sdk_convolution *c, size_t filters, const int8_t *weights,
                       size_t kept, const uint32_t *positions, int8_t *packed,
                       int32_t *correction) {
    size_t taps = c->columns.taps, length = c->in_channels * c->rows.taps * taps * c->window;
    memset(packed, 0, (kept + 3) / 4 * 4 * taps * SDK_CONVOLVE_FILTERS);
    for (size_t block = 0; block < kept; block += SDK_CONVOLVE_BLOCK) {
        size_t count = sdk_least(kept - block, SDK_CONVOLVE_BLOCK), quads = (count + 3) / 4;
        for (size_t f = 0; f < filters; f++) {
            uint32_t sum = 0;
            for (size_t k = 0; k < count; k++) {
                for (size_t t = 0; t < taps; t++) {
                    int8_t weight =
                        weights[f * length + sdk_convolve_weight(c, positions[block + k], t)];
                    size_t quad = t * quads + k / 4;
                    packed[(quad * SDK_CONVOLVE_FILTERS + f) * 4 + k % 4] = weight;
                    sum += (uint32_t)weight;
                }
            }
            correction[f] = (int32_t)((uint32_t)correction[f] - c->in_zero * sum);
        }
        packed += quads * taps * SDK_CONVOLVE_FILTERS * 4;
    }
}
