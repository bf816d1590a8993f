// learning.c - weights that learn as symbols: rebuilt, their gradients, and how they move.
#include "kernel_prototypes.h"
#include "learning_lanes.h"
#include "quantise_level.h"

#pragma STDC FP_CONTRACT OFF

void sdk_f32_symbols_rebuild__scalar(size_t rows, size_t n, size_t S, const uint8_t *symbols,
                                     size_t plane_stride, const float *tables, float scale,
                                     float *out) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t t = 0; t < S; t++) {
            float sum = tables[t * 16 + symbols[row]];
            for (size_t j = 1; j < n; j++) {
                sum += tables[(j * S + t) * 16 + symbols[j * plane_stride + row]];
            }
            *out++ = scale * sum;
        }
    }
}

void sdk_f32_basis_gradient__scalar(size_t rows, size_t n, size_t c, size_t S,
                                    const uint8_t *symbols, size_t plane_stride,
                                    const float *coefficients, const float *x, float scale,
                                    float *gradient) {
    for (size_t i = 0; i < n * c; i++) {
        const uint8_t *plane = symbols + i / c * plane_stride;
        const float *coefficient = coefficients + i % c * 16;
        for (size_t t = 0; t < S; t++) {
            float lanes[SDK_LEARNING_LANES] = {0};
            for (size_t row = 0; row < rows; row++) {
                lanes[row % SDK_LEARNING_LANES] += coefficient[plane[row]] * x[row * S + t];
            }
            gradient[i * S + t] += scale * sdk_learning_sum(lanes);
        }
    }
}

/// The change that the rule makes of one coefficient; its momentum moves.
static float change(const sdk_coefficient_rule *rule, size_t S, const float *basis, const float *x,
                    float scale, float coefficient, float *momentum) {
    float product = x[0] * basis[0];
    for (size_t t = 1; t < S; t++) product += x[t] * basis[t];
    float g = scale * product + rule->decay * coefficient;
    float m = g;
    if (momentum) m = *momentum = rule->inertia * *momentum + g;
    return -rule->rate * (rule->nesterov ? g + rule->inertia * m : m);
}

void sdk_f32_bucket_switch__scalar(size_t rows, size_t n, size_t c, size_t S,
                                   const sdk_coefficient_rule *rule, const float *basis,
                                   const float *x, float scale, size_t plane_stride,
                                   uint8_t *symbols, float *momentum, int8_t *counters) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t j = 0; j < n; j++) {
            uint8_t *symbol = symbols + j * plane_stride + row;
            uint8_t before = *symbol;
            for (size_t k = 0; k < c; k++) {
                size_t i = j * c + k, at = i * plane_stride + row;
                float d = change(rule, S, basis + i * S, x + row * S, scale,
                                 rule->coefficients[k][before], momentum ? momentum + at : NULL);
                if (counters[at] == SDK_FROZEN) continue;
                int counter = counters[at] + (d > rule->threshold) - (d < -rule->threshold);
                if (counter >= rule->bar || counter <= -rule->bar) {
                    *symbol = rule->moves[k][counter > 0][*symbol];
                    counter = 0;
                }
                counters[at] = (int8_t)counter;
            }
        }
    }
}

void sdk_f32_requantise__scalar(size_t rows, size_t n, size_t c, size_t S,
                                const sdk_coefficient_rule *rule, const float *basis,
                                const float *x, float scale, size_t plane_stride,
                                uint8_t *symbols, float *momentum, const int8_t *counters) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t j = 0; j < n; j++) {
            uint8_t *symbol = symbols + j * plane_stride + row;
            uint8_t before = *symbol;
            for (size_t k = 0; k < c; k++) {
                size_t i = j * c + k, at = i * plane_stride + row;
                float coefficient = rule->coefficients[k][before];
                float value = coefficient + change(rule, S, basis + i * S, x + row * S, scale,
                                                   coefficient, momentum ? momentum + at : NULL);
                if (counters && counters[at] == SDK_FROZEN) continue;
                size_t level = 0;
                for (size_t b = 0; b < rule->bound_count[k]; b++) {
                    level += value >= rule->bounds[k][b];
                }
                *symbol = rule->moves[k][level][*symbol];
            }
        }
    }
}

void sdk_f32_error_feedback__scalar(size_t rows, size_t n, size_t c, size_t S,
                                    const sdk_coefficient_rule *rule, const float *basis,
                                    const float *x, float scale, size_t plane_stride,
                                    uint64_t first, uint8_t *symbols, float *momentum,
                                    int8_t *counters) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t j = 0; j < n; j++) {
            uint8_t *symbol = symbols + j * plane_stride + row;
            uint8_t before = *symbol;
            for (size_t k = 0; k < c; k++) {
                size_t i = j * c + k, at = i * plane_stride + row;
                float coefficient = rule->coefficients[k][before];
                float d = change(rule, S, basis + i * S, x + row * S, scale, coefficient,
                                 momentum ? momentum + at : NULL);
                if (counters[at] == SDK_FROZEN) continue;
                float value = (coefficient + (float)counters[at] * rule->units[k][before]) + d;
                size_t level = 0;
                for (size_t b = 0; b < rule->bound_count[k]; b++) {
                    level += value >= rule->bounds[k][b];
                }
                *symbol = rule->moves[k][level][*symbol];
                float rest = (value - rule->coefficients[k][*symbol]) / rule->units[k][*symbol] +
                             sdk_counter_noise(first + at, rule->key);
                // A comparison with NaN is false.
                if (!(rest > -127)) rest = -127;
                if (rest > 127) rest = 127;
                rest = (rest + SDK_SIGNED_ROUNDER) - SDK_SIGNED_ROUNDER;
                counters[at] = (int8_t)rest;
            }
        }
    }
}
