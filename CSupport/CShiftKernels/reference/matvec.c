// matvec.c - the integer semantics of products with a vector: activations to int8, weights as sums
// of int8 table entries, sums in int32, one float multiply-add for each filter and run.
#include <math.h>

#include "panels.h"

#pragma STDC FP_CONTRACT OFF

void sdk_f32_s8_quantise__scalar(size_t count, const float *x, int8_t *q, float *scale) {
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        float magnitude = isfinite(x[i]) ? fabsf(x[i]) : INFINITY;
        if (magnitude > largest) largest = magnitude;
    }
    int is_zero = largest < 0x1p-100f;
    float factor = is_zero ? 0 : 127.0f / largest;
    for (size_t i = 0; i < count; i++) {
        float level = x[i] * factor;
        if (!(level > -127)) level = -127;
        if (level > 127) level = 127;
        q[i] = (int8_t)rintf(level);
    }
    *scale = is_zero ? 0 : largest / 127.0f;
}

void sdk_s8_compact__scalar(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    for (size_t i = 0; i < count; i++) {
        if (mask[i / 8] >> (i % 8) & 1) *out++ = x[i];
    }
}

void sdk_s8_rows_to_steps__scalar(size_t count, size_t S, size_t R, const int8_t *x,
                                  int8_t *out) {
    size_t rows = (count + S - 1) / S;
    for (size_t first = 0; first < rows; first += R) {
        for (size_t t = 0; t < S; t++) {
            for (size_t r = 0; r < R; r++) {
                size_t i = (first + r) * S + t;
                *out++ = i < count ? x[i] : 0;
            }
        }
    }
}

/// The symbol of a row of a filter, in one plane of a step.
static unsigned symbol_at(const uint8_t *plane, size_t F, size_t filter, size_t row) {
    size_t i = filter % (4 * F) * (16 / F) + row;
    return filter < 4 * F ? plane[i] & 15u : plane[i] >> 4;
}

/// sum over rows and t of w x, of one filter of one run.
static int32_t filter_sum(const sdk_panels *panels, size_t filter, size_t steps,
                          const uint8_t *symbols, const int8_t *tables, const int8_t *x) {
    size_t n = panels->n, S = panels->S, R = 16 / panels->F;
    size_t quad = panels->quads == 1 ? 0 : filter / panels->F;
    int32_t sum = 0;
    for (size_t step = 0; step < steps; step++) {
        for (size_t r = 0; r < R; r++) {
            for (size_t t = 0; t < S; t++) {
                int w = 0;
                for (size_t j = 0; j < n; j++) {
                    const uint8_t *plane = symbols + (step * n + j) * SDK_PLANE_BYTES;
                    size_t table = (j * S + t) * panels->quads + quad;
                    w += tables[table * SDK_SYMBOLS + symbol_at(plane, panels->F, filter, r)];
                }
                sum += w * x[(step * S + t) * R + r];
            }
        }
    }
    return sum;
}

void sdk_s8_po2_matvec__scalar(const sdk_panels *panels, size_t filters, const uint8_t *packed,
                               const int8_t *tables, const int8_t *x, float factor, float *y) {
    size_t F = panels->F, size = SDK_PANEL_QUADS * F;
    for (size_t first = 0; first < filters; first += size) {
        float sums[SDK_PANEL_LANES] = {0};
        const int8_t *from = x;
        for (size_t s = 0; s < panels->runs; s++) {
            size_t steps = panels->steps[s];
            uint16_t scales[SDK_PANEL_LANES];
            memcpy(scales, packed, sizeof scales);
            packed += sizeof scales;
            for (size_t f = 0; f < size; f++) {
                int32_t sum = filter_sum(panels, f, steps, packed, tables, from);
                sums[f] += sdk_half(scales[f * (4 / F)]) * (float)sum;
            }
            packed += steps * panels->n * SDK_PLANE_BYTES;
            tables += sdk_run_table_bytes(panels);
            from += steps * panels->S * (16 / F);
        }
        for (size_t f = 0; f < size && first + f < filters; f++) y[first + f] = factor * sums[f];
    }
}
