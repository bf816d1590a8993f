// convolve_layout.c - how what convolutions at kept positions read is divided and compacted.
#include <math.h>

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
    return c->window == 1;
}

int sdk_convolve_saturates(const sdk_convolution *c) {
    float zero = c->out_zero;
    if (c->float_output || c->low != -zero || c->high != 255 - zero) return 0;
    for (size_t f = 0; f < c->out_channels; f++) {
        // Neither a sum nor the value of a residual is larger.
        double most = 0x1p31 * fabsf(c->scale[f]) + 255.0 * fabsf(c->residual_scale);
        if (!(most + fabsf(c->bias[f]) < 0x1p30)) return 0;
    }
    return 1;
}

size_t sdk_convolve_blocks(const sdk_convolution *c) {
    size_t most = 1;
    for (size_t i = 0; i < c->list_count; i++) {
        size_t bytes = c->lists[i].kept * c->element_bytes;
        size_t blocks = (bytes + SDK_CONVOLVE_BLOCK - 1) / SDK_CONVOLVE_BLOCK;
        if (blocks > most) most = blocks;
    }
    return most;
}

/// The slots that one output pixel more takes: one for each remainder of a tap by the stride.
static size_t phases(const sdk_convolve_axis *axis) {
    size_t count = 0;
    for (size_t t = 0; t < axis->taps; t++) {
        int is_new = 1;
        for (size_t u = 0; u < t; u++) {
            if ((t - u) * axis->dilation % axis->stride == 0) is_new = 0;
        }
        count += (size_t)is_new;
    }
    return count;
}

size_t sdk_convolve_list_capacity(const sdk_convolution *c) {
    size_t slots = SDK_CONVOLVE_PIXELS * phases(&c->columns);
    size_t blocks = SDK_CONVOLVE_SLOTS / (SDK_CONVOLVE_BLOCK * slots);
    size_t positions = (blocks > 1 ? blocks : 1) * SDK_CONVOLVE_BLOCK / c->element_bytes;
    size_t weights = SDK_CONVOLVE_FILTERS * c->columns.taps * c->element_bytes;
    size_t few = SDK_CONVOLVE_WEIGHTS / weights, block = SDK_CONVOLVE_BLOCK / c->element_bytes;
    return sdk_least(positions, few > block ? few : block);
}

size_t sdk_convolve_segment_rows(const sdk_convolution *c) {
    return c->columns.taps > 1 && 2 * c->columns.out_size <= SDK_CONVOLVE_PIXELS ? 2 : 1;
}

size_t sdk_convolve_segment(const sdk_convolution *c) {
    size_t slots = SDK_CONVOLVE_PIXELS * phases(&c->columns);
    size_t tiles = SDK_CONVOLVE_SLOTS / (sdk_convolve_blocks(c) * SDK_CONVOLVE_BLOCK * slots);
    size_t line = c->columns.out_size;
    if (c->columns.taps == 1) line *= c->rows.out_size;
    size_t segment = sdk_least((tiles > 1 ? tiles : 1) * SDK_CONVOLVE_PIXELS, line);
    return segment > 1 ? segment : 1;
}

size_t sdk_convolve_row_bytes(const sdk_convolution *c, size_t segment) {
    size_t taps = (c->columns.taps - 1) * c->columns.dilation + c->window;
    return ((segment - 1) * c->columns.stride + taps) * c->in_channels * c->element_bytes;
}

size_t sdk_convolve_edge_bytes(const sdk_convolution *c) {
    return c->window > 1 ? c->rows.taps * sdk_convolve_row_bytes(c, SDK_CONVOLVE_EDGE) : 0;
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
    slots *= sdk_convolve_segment_rows(c);
    size_t slot = c->element_bytes > 1 ? SDK_CONVOLVE_BLOCK : SDK_CONVOLVE_WIDE_SLOT;
    // And one block for alignment.
    return sdk_convolve_blocks(c) * slots * slot + SDK_CONVOLVE_BLOCK +
           sdk_convolve_row_bytes(c, segment) + sdk_convolve_edge_bytes(c);
}

/// The first of the `width` channels that a step reads for `channel`: never past the last channel.
static size_t first_channel(size_t channels, size_t width, size_t channel) {
    if (channels <= width) return 0;
    return sdk_least(channel / width * width, channels - width);
}

size_t sdk_convolve_plan_narrow(const sdk_convolution *c, size_t kept, const uint32_t *positions,
                                sdk_convolve_narrow_step *steps) {
    size_t channels = c->in_channels * c->window, count = 0;
    if (c->element_bytes > 1 || channels < 16) return 0;
    for (size_t k = 0; k < kept;) {
        if (positions[k] == SDK_CONVOLVE_NOTHING) {
            k++;
            continue;
        }
        size_t block = k / SDK_CONVOLVE_BLOCK, tap = positions[k] & 0xFFFF;
        size_t first = first_channel(channels, 16, positions[k] >> 16);
        sdk_convolve_narrow_step step = {.place = (uint32_t)k, .channel = (uint16_t)first,
                                         .tap = (uint16_t)tap};
        memset(step.index, 0xFF, sizeof step.index);
        for (; k < kept && k - step.place < 16 && k / SDK_CONVOLVE_BLOCK == block; k++) {
            size_t channel = positions[k] >> 16;
            if ((positions[k] & 0xFFFF) != tap || channel < first || channel >= first + 16) break;
            step.index[k - step.place] = (uint8_t)(channel - first);
        }
        if (steps) steps[count] = step;
        count++;
    }
    return count;
}

size_t sdk_convolve_plan(const sdk_convolution *c, size_t kept, const uint32_t *positions,
                         sdk_convolve_step *steps) {
    // As many positions in a block as channels in what a step reads.
    size_t width = SDK_CONVOLVE_BLOCK / c->element_bytes, count = 0;
    size_t channels = c->in_channels * c->window;
    for (size_t k = 0; k < kept;) {
        if (positions[k] == SDK_CONVOLVE_NOTHING) {
            k++;
            continue;
        }
        size_t block = k / width, tap = positions[k] & 0xFFFF;
        size_t first = first_channel(channels, width, positions[k] >> 16);
        sdk_convolve_step step = {.block = (uint32_t)block, .channel = (uint16_t)first,
                                  .tap = (uint16_t)tap};
        for (; k < kept && k / width == block; k++) {
            size_t channel = positions[k] >> 16;
            if ((positions[k] & 0xFFFF) != tap || channel < first || channel >= first + width) {
                break;
            }
            for (size_t i = 0; i < c->element_bytes; i++) {
                size_t byte = k % width * c->element_bytes + i;
                step.index[byte] = (uint8_t)((channel - first) * c->element_bytes + i);
                step.bytes |= (uint64_t)1 << byte;
            }
        }
        if (steps) steps[count] = step;
        count++;
    }
    return count;
}
