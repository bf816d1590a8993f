// convolve.c - the convolution of integers as people should read it, and how it is packed.
#include <math.h>

#include "convolve_job.h"

#pragma STDC FP_CONTRACT OFF

/// The weight of filter `f` of a group at kept position `k` and column tap `t` of `taps`.
static int weight_at(const sdk_convolve_group *group, size_t taps, size_t f, size_t k, size_t t) {
    size_t block = k / SDK_CONVOLVE_BLOCK * SDK_CONVOLVE_BLOCK;
    size_t quads = sdk_least(group->kept - block, SDK_CONVOLVE_BLOCK) / 4;
    size_t quad = block / 4 * taps + t * quads + (k - block) / 4;
    return group->weights[(quad * SDK_CONVOLVE_FILTERS + f) * 4 + k % 4];
}

/// The input that output index `i` reads at tap `t`; not below in_size where outside.
static size_t read_index(const sdk_convolve_axis *axis, size_t i, size_t t) {
    return i * axis->stride + t * axis->dilation - axis->padding;
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
                size_t y = read_index(&c->rows, i / width, group->positions[k] & 0xFFFF);
                for (size_t t = 0; t < c->columns.taps; t++) {
                    size_t x = read_index(&c->columns, i % width, t);
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

int sdk_convolve_is_pointwise(const sdk_convolution *c) {
    const sdk_convolve_axis *axes[2] = {&c->rows, &c->columns};
    for (int i = 0; i < 2; i++) {
        const sdk_convolve_axis *axis = axes[i];
        if (axis->taps != 1 || axis->stride != 1 || axis->padding != 0 ||
            axis->in_size != axis->out_size) {
            return 0;
        }
    }
    return 1;
}

size_t sdk_convolve_blocks(const sdk_convolution *c) {
    size_t groups = (c->out_channels + SDK_CONVOLVE_FILTERS - 1) / SDK_CONVOLVE_FILTERS;
    size_t most = 1;
    for (size_t g = 0; g < groups; g++) {
        size_t blocks = (c->groups[g].kept + SDK_CONVOLVE_BLOCK - 1) / SDK_CONVOLVE_BLOCK;
        if (blocks > most) most = blocks;
    }
    return most;
}

size_t sdk_convolve_segment(const sdk_convolution *c) {
    // Tiles of 14 pixels divide the rows of the usual networks.
    size_t tiles = SDK_CONVOLVE_SLOTS / (sdk_convolve_blocks(c) * SDK_CONVOLVE_BLOCK * 14);
    size_t line = c->columns.out_size;
    if (c->columns.taps == 1) line *= c->rows.out_size;
    size_t segment = sdk_least(tiles > 1 ? tiles * 14 : 14, line);
    return segment > 1 ? segment : 1;
}

size_t sdk_convolve_scratch(const sdk_convolution *c) {
    size_t segment = sdk_convolve_segment(c), slots = 0;
    // Every remainder by the stride needs at most what one tap more does.
    for (size_t t = 0; t < c->columns.taps; t++) {
        int is_new = 1;
        size_t furthest = t * c->columns.dilation;
        for (size_t u = 0; u < c->columns.taps; u++) {
            size_t at = u * c->columns.dilation;
            if (at % c->columns.stride != t * c->columns.dilation % c->columns.stride) continue;
            if (u < t) is_new = 0;
            if (at > furthest) furthest = at;
        }
        if (is_new) slots += segment + furthest / c->columns.stride;
    }
    return (sdk_convolve_blocks(c) * slots + 1) * SDK_CONVOLVE_BLOCK + c->in_channels;
}

/// The first of the 64 channels that a step reads for `channel`: never past the last channel.
static size_t first_channel(size_t in_channels, size_t channel) {
    if (in_channels <= SDK_CONVOLVE_BLOCK) return 0;
    return sdk_least(channel / SDK_CONVOLVE_BLOCK * SDK_CONVOLVE_BLOCK,
                     in_channels - SDK_CONVOLVE_BLOCK);
}

size_t sdk_convolve_plan(size_t in_channels, size_t kept, const uint32_t *positions,
                         sdk_convolve_step *steps) {
    size_t count = 0;
    for (size_t k = 0; k < kept; count++) {
        size_t block = k / SDK_CONVOLVE_BLOCK, tap = positions[k] & 0xFFFF;
        size_t first = first_channel(in_channels, positions[k] >> 16);
        sdk_convolve_step step = {.block = (uint32_t)block, .channel = (uint16_t)first,
                                  .tap = (uint16_t)tap};
        for (; k < kept && k / SDK_CONVOLVE_BLOCK == block; k++) {
            size_t channel = positions[k] >> 16;
            if ((positions[k] & 0xFFFF) != tap || channel < first ||
                channel >= first + SDK_CONVOLVE_BLOCK) {
                break;
            }
            step.index[k % SDK_CONVOLVE_BLOCK] = (uint8_t)(channel - first);
            step.bytes |= (uint64_t)1 << k % SDK_CONVOLVE_BLOCK;
        }
        if (steps) steps[count] = step;
    }
    return count;
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
