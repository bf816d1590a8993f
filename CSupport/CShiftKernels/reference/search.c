// search.c - the joint choice of a row's symbols: the nearest of all combinations.
#include <float.h>
#include <math.h>

#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF

void sdk_combination_norms(size_t n, size_t S, size_t symbols, const float *tables,
                           float *norms) {
    const float *last = tables + (n - 1) * S * 16;
    for (size_t outer = 0; outer < sdk_outer_combinations(n); outer++, norms += 16) {
        float norm[16] = {0};
        int used = 1;
        for (size_t t = 0; t < S; t++) {
            float sum = 0;
            for (size_t j = 0; j + 1 < n; j++) {
                size_t k = (outer >> (4 * (n - 2 - j))) & 15;
                if (k >= symbols) used = 0;
                sum += tables[(j * S + t) * 16 + k];
            }
            for (size_t k = 0; k < 16; k++) {
                float value = sum + last[t * 16 + k];
                norm[k] += value * value;
            }
        }
        for (size_t k = 0; k < 16; k++) norms[k] = used && k < symbols ? norm[k] : FLT_MAX;
    }
}

static void subtract_largest(float u[16]) {
    float largest = u[0];
    for (size_t k = 1; k < 16; k++) largest = u[k] > largest ? u[k] : largest;
    for (size_t k = 0; k < 16; k++) u[k] -= largest;
}

/// The least of norms - u over the middle symbol, and the first k1 that attains it.
/// `norms` points at the norm of k1 = 0; the next k1 is 16 floats on.
static float least_over_middle(const float *norms, const float *u, size_t *k1) {
    float best = INFINITY;
    for (size_t i = 0; i < 16; i++) {
        float score = norms[i * 16] - u[i];
        if (score < best) {
            best = score;
            *k1 = i;
        }
    }
    return best;
}

void sdk_f32_nearest_symbols__scalar(size_t rows, size_t n, size_t S, const float *x,
                                     const float *tables, const float *norms, uint8_t *symbols) {
    for (size_t row = 0; row < rows; row++, x += S, symbols += n) {
        float u[SDK_MAX_SEARCH_NIBBLES][16];
        for (size_t j = 0; j < n; j++) {
            for (size_t k = 0; k < 16; k++) {
                float dot = x[0] * tables[j * S * 16 + k];
                for (size_t t = 1; t < S; t++) dot += x[t] * tables[(j * S + t) * 16 + k];
                u[j][k] = dot + dot;
            }
        }
        // The scores of the middle symbol are then not negative.
        if (n == 3) subtract_largest(u[1]);
        float best = INFINITY;
        for (size_t k = 0; k < 16; k++) {
            float score = norms[k];
            size_t k0 = 0, k1 = 0;
            if (n >= 2) {
                score = INFINITY;
                for (size_t i = 0; i < 16; i++) {
                    size_t middle = 0;
                    float least = n == 3 ? least_over_middle(norms + i * 256 + k, u[1], &middle)
                                         : norms[i * 16 + k];
                    float here = least - u[0][i];
                    if (here < score) {
                        score = here;
                        k0 = i;
                        k1 = middle;
                    }
                }
            }
            score -= u[n - 1][k];
            if (score < best) {
                best = score;
                symbols[0] = (uint8_t)k0;
                if (n == 3) symbols[1] = (uint8_t)k1;
                symbols[n - 1] = (uint8_t)k;
            }
        }
    }
}

void sdk_symbol_moments(size_t rows, size_t n, size_t S, const float *x, const uint8_t *symbols,
                        double weight, double *singles, double *pairs, double *sums) {
    for (size_t row = 0; row < rows; row++, x += S, symbols += n) {
        double *pair = pairs;
        for (size_t j = 0; j < n; j++) {
            size_t k = symbols[j];
            singles[j * 16 + k] += weight;
            double *sum = sums + (j * 16 + k) * S;
            for (size_t t = 0; t < S; t++) sum[t] += weight * x[t];
            for (size_t i = j + 1; i < n; i++, pair += 256) pair[k * 16 + symbols[i]] += weight;
        }
    }
}

void sdk_f32_nearest_levels__scalar(size_t count, const float *x, float factor,
                                    const float midpoints[15], const uint8_t order[16],
                                    uint8_t *symbols) {
    for (size_t i = 0; i < count; i++) {
        float value = x[i] * factor;
        size_t level = 0;
        for (size_t m = 0; m < 15; m++) level += value > midpoints[m];
        symbols[i] = order[level];
    }
}
