// lanes.c - convolutions over kept rows in batch lanes, as people should read them.
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF

size_t sdk_lanes_extent(const sdk_lanes_axis *axis) {
    if (axis->taps <= 1) return axis->tile;
    return (axis->tile - 1) * axis->in_step + (axis->taps - 1) * axis->tap_step + 1;
}

/// The index of the input that output `i` reads at tap `t`; not below in_size where outside.
static size_t read_index(const sdk_lanes_axis *axis, size_t i, size_t t) {
    return (size_t)(axis->in_first + (ptrdiff_t)(i * axis->in_step + t * axis->tap_step));
}

void sdk_f32_lanes_correlate__scalar(const sdk_lanes_pass *pass, size_t first_row, size_t end_row,
                                     const uint32_t *starts, const float *entries,
                                     const float *bias, const float *in, float *out,
                                     float *scratch) {
    (void)scratch;
    const sdk_lanes_axis *rows = &pass->rows, *columns = &pass->columns;
    size_t chunks = (pass->in_channels + pass->chunk - 1) / pass->chunk;
    for (size_t o = 0; o < pass->out_channels; o++) {
        for (size_t i = first_row; i < end_row; i++) {
            for (size_t j = 0; j < columns->count; j++) {
                float sums[SDK_LANES];
                for (size_t l = 0; l < SDK_LANES; l++) sums[l] = bias ? bias[o] : 0;
                for (size_t k = 0; k < chunks; k++) {
                    const uint32_t *start = starts + k * pass->out_channels + o;
                    for (uint32_t entry = start[0]; entry < start[1]; entry++) {
                        const float *weights = entries + entry * (1 + columns->taps);
                        uint32_t row;
                        memcpy(&row, weights, sizeof row);
                        size_t y = read_index(rows, i, row & 0xFFFF);
                        if (y >= rows->in_size) continue;
                        for (size_t t = 0; t < columns->taps; t++) {
                            size_t x = read_index(columns, j, t);
                            if (x >= columns->in_size) continue;
                            size_t plane_row = (row >> 16) * rows->in_size + y;
                            const float *from = in + (plane_row * columns->in_size + x) * SDK_LANES;
                            for (size_t l = 0; l < SDK_LANES; l++) {
                                sums[l] += weights[1 + t] * from[l];
                            }
                        }
                    }
                }
                size_t plane_row = o * rows->out_size + rows->out_first + i * rows->out_step;
                size_t x = columns->out_first + j * columns->out_step;
                memcpy(out + (plane_row * columns->out_size + x) * SDK_LANES, sums, sizeof sums);
            }
        }
    }
}

void sdk_f32_lanes_weight_gradient__scalar(const sdk_lanes_pass *pass, size_t first_row,
                                           size_t end_row, size_t group, const uint32_t *starts,
                                           const uint32_t *kept, const float *in,
                                           const float *gradient, float *weights, float *scratch) {
    (void)scratch;
    const sdk_lanes_axis *rows = &pass->rows, *columns = &pass->columns;
    for (size_t o = 0; o < pass->out_channels; o++) {
        for (uint32_t k = starts[o / group]; k < starts[o / group + 1]; k++) {
            size_t channel = kept[k] >> 16, tap = kept[k] & 0xFFFF;
            for (size_t t = 0; t < columns->taps; t++) {
                float sum = 0;
                for (size_t i = first_row; i < end_row; i++) {
                    size_t y = read_index(rows, i, tap);
                    for (size_t j = 0; j < columns->count && y < rows->in_size; j++) {
                        size_t x = read_index(columns, j, t);
                        if (x >= columns->in_size) continue;
                        size_t out_row = o * rows->out_size + i;
                        size_t in_row = channel * rows->in_size + y;
                        const float *a =
                            gradient + (out_row * columns->out_size + j) * SDK_LANES;
                        const float *b = in + (in_row * columns->in_size + x) * SDK_LANES;
                        for (size_t l = 0; l < SDK_LANES; l++) sum += a[l] * b[l];
                    }
                }
                size_t row = (o * pass->in_channels + channel) * rows->taps + tap;
                weights[row * columns->taps + t] += sum;
            }
        }
    }
}
