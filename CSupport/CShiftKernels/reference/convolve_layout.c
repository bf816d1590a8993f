// convolve_layout.c - how what convolutions at kept positions read is divided and compacted.
#include "convolve_job.h"

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
        size_t bytes = c->groups[g].kept * c->element_bytes;
        size_t blocks = (bytes + SDK_CONVOLVE_BLOCK - 1) / SDK_CONVOLVE_BLOCK;
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
    return (sdk_convolve_blocks(c) * slots + 1) * SDK_CONVOLVE_BLOCK +
           c->in_channels * c->element_bytes;
}

/// The first of the `width` channels that a step reads for `channel`: never past the last channel.
static size_t first_channel(size_t in_channels, size_t width, size_t channel) {
    if (in_channels <= width) return 0;
    return sdk_least(channel / width * width, in_channels - width);
}

size_t sdk_convolve_plan(size_t element_bytes, size_t in_channels, size_t kept,
                         const uint32_t *positions, sdk_convolve_step *steps) {
    // As many positions in a block as channels in what a step reads.
    size_t width = SDK_CONVOLVE_BLOCK / element_bytes, count = 0;
    for (size_t k = 0; k < kept; count++) {
        size_t block = k / width, tap = positions[k] & 0xFFFF;
        size_t first = first_channel(in_channels, width, positions[k] >> 16);
        sdk_convolve_step step = {.block = (uint32_t)block, .channel = (uint16_t)first,
                                  .tap = (uint16_t)tap};
        for (; k < kept && k / width == block; k++) {
            size_t channel = positions[k] >> 16;
            if ((positions[k] & 0xFFFF) != tap || channel < first || channel >= first + width) {
                break;
            }
            for (size_t i = 0; i < element_bytes; i++) {
                size_t byte = k % width * element_bytes + i;
                step.index[byte] = (uint8_t)((channel - first) * element_bytes + i);
                step.bytes |= (uint64_t)1 << byte;
            }
        }
        if (steps) steps[count] = step;
    }
    return count;
}
