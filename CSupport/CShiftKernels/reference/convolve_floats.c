// convolve_floats.c - the convolution of floats at kept positions as people should read it, and how
// it is packed.
#include <math.h>

#include "convolve_job.h"

#pragma STDC FP_CONTRACT OFF

enum { IN_BLOCK = SDK_CONVOLVE_BLOCK / sizeof(float) };

void sdk_f32_convolve__scalar(const sdk_convolution *c, size_t first_row, size_t end_row,
                              size_t first_list, size_t end_list, const float *in,
                              const float *residual, float *out, uint8_t *scratch) {
    (void)scratch;
    if (first_list >= end_list) return;
    size_t width = c->columns.out_size, taps = c->columns.taps;
    size_t first = c->lists[first_list].first_group * SDK_CONVOLVE_FILTERS;
    size_t end = sdk_least(c->lists[end_list - 1].end_group * SDK_CONVOLVE_FILTERS,
                           c->out_channels);
    for (size_t i = first_row * width; i < end_row * width; i++) {
        for (size_t o = first; o < end; o++) {
            const sdk_convolve_group *group = c->groups + o / SDK_CONVOLVE_FILTERS;
            const float *weights = (const float *)group->weights + o % SDK_CONVOLVE_FILTERS;
            float y = c->bias[o];
            for (size_t block = 0; block < group->kept; block += IN_BLOCK) {
                size_t count = sdk_least(group->kept - block, IN_BLOCK);
                for (size_t n = 0; n < taps * count; n++, weights += SDK_CONVOLVE_FILTERS) {
                    uint32_t position = group->positions[block + n % count];
                    size_t row = sdk_convolve_index(&c->rows, i / width, position & 0xFFFF);
                    size_t column = sdk_convolve_index(&c->columns, i % width, n / count);
                    size_t from = sdk_convolve_element(c, row, column, position >> 16);
                    y = fmaf(from == SIZE_MAX ? 0 : in[from], *weights, y);
                }
            }
            size_t at = i * c->out_channels + o;
            if (residual) y += residual[at];
            y = c->low > y ? c->low : y;
            out[at] = c->high < y ? c->high : y;
        }
    }
}

void sdk_convolve_pack_floats(const sdk_convolution *c, size_t filters, const float *weights,
                              size_t kept, const uint32_t *positions, float *packed) {
    size_t taps = c->columns.taps, length = c->in_channels * c->rows.taps * taps * c->window;
    for (size_t block = 0; block < kept; block += IN_BLOCK) {
        size_t count = sdk_least(kept - block, IN_BLOCK);
        for (size_t t = 0; t < taps; t++) {
            for (size_t k = 0; k < count; k++, packed += SDK_CONVOLVE_FILTERS) {
                const float *from = weights + sdk_convolve_weight(c, positions[block + k], t);
                memset(packed, 0, SDK_CONVOLVE_FILTERS * sizeof *packed);
                for (size_t f = 0; f < filters; f++) packed[f] = from[f * length];
            }
        }
    }
}
