// fit.c - the passes over rows of the alternating fit, in double precision.
//
// Sums run in eight interleaved lanes, added pairwise at the end, so that wide registers can
// return the same bits.
#include <math.h>

#include "fit_lanes.h"
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF

/// sum of a[i] * b[i] in the lane order.
static double lane_dot(size_t length, const double *a, const double *b) {
    double lanes[SDK_FIT_LANES] = {0};
    for (size_t i = 0; i < length; i += SDK_FIT_LANES) {
        for (size_t l = 0; l < SDK_FIT_LANES; l++) lanes[l] += a[i + l] * b[i + l];
    }
    return sdk_lanes_sum(lanes);
}

/// G = q^T q and H = q^T a.
static void products(size_t stride, size_t r, size_t S, const double *q, const double *a,
                     double *G, double *H) {
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j <= i; j++) {
            double dot = lane_dot(stride, q + i * stride, q + j * stride);
            G[i * r + j] = dot;
            G[j * r + i] = dot;
        }
        for (size_t t = 0; t < S; t++) {
            H[i * S + t] = lane_dot(stride, q + i * stride, a + t * stride);
        }
    }
}

/// Row `row` of a P with the thresholds applied.
static void coefficient_row(size_t row, size_t stride, size_t r, size_t S, const double *a,
                            const double *P, double threshold, double row_threshold, double *c) {
    double row_sum = 0;
    for (size_t i = 0; i < r; i++) {
        double sum = a[row] * P[i];
        for (size_t t = 1; t < S; t++) sum += a[t * stride + row] * P[t * r + i];
        c[i] = sum;
        row_sum += fabs(sum);
    }
    for (size_t i = 0; i < r; i++) {
        if (row_sum < row_threshold || fabs(c[i]) < threshold) c[i] = 0;
    }
}

/// The signed power of two nearest to `value`, at most `max_c` in magnitude.
static double quantised(double value, double scale, double max_c) {
    double magnitude = sdk_nearest_power_of_two(fabs(value) * scale);
    return copysign(magnitude > max_c ? max_c : magnitude, value);
}

void sdk_f64_fit_quantise__scalar(size_t stride, size_t r, size_t S, const double *c,
                                  const double *scale, double max_c, const double *a, double *q,
                                  double *moved, double *G, double *H) {
    double lanes[SDK_FIT_LANES] = {0};
    for (size_t i = 0; i < r; i++) {
        for (size_t row = 0; row < stride; row++) {
            double after = quantised(c[i * stride + row], scale[i], max_c);
            double step = after - q[i * stride + row];
            lanes[row % SDK_FIT_LANES] += step * step;
            q[i * stride + row] = after;
        }
    }
    *moved = sdk_lanes_sum(lanes);
    products(stride, r, S, q, a, G, H);
}

void sdk_f64_fit_coefficients__scalar(size_t stride, size_t r, size_t S, const double *a,
                                      const double *P, double threshold, double row_threshold,
                                      double *c) {
    double values[SDK_MAX_WIDTH];
    for (size_t row = 0; row < stride; row++) {
        coefficient_row(row, stride, r, S, a, P, threshold, row_threshold, values);
        for (size_t i = 0; i < r; i++) c[i * stride + row] = values[i];
    }
}

void sdk_f64_fit_step__scalar(size_t stride, size_t r, size_t S, const double *a, const double *P,
                              double threshold, double row_threshold, double max_c, double *q,
                              double *moved, double *G, double *H) {
    double lanes[SDK_FIT_LANES] = {0};
    double values[SDK_MAX_WIDTH];
    for (size_t row = 0; row < stride; row++) {
        coefficient_row(row, stride, r, S, a, P, threshold, row_threshold, values);
        for (size_t i = 0; i < r; i++) {
            double after = quantised(values[i], 1, max_c);
            double step = after - q[i * stride + row];
            lanes[row % SDK_FIT_LANES] += step * step;
            q[i * stride + row] = after;
        }
    }
    *moved = sdk_lanes_sum(lanes);
    products(stride, r, S, q, a, G, H);
}

void sdk_f64_fit_column_scale__scalar(size_t stride, const double *c, double *count,
                                      double *log2_sum) {
    double counts[SDK_FIT_LANES] = {0};
    double products[SDK_FIT_LANES];
    for (size_t l = 0; l < SDK_FIT_LANES; l++) products[l] = 1;
    double total = 0;
    for (size_t begin = 0; begin < stride; begin += SDK_FIT_PRODUCT_ROWS) {
        size_t end = begin + SDK_FIT_PRODUCT_ROWS < stride ? begin + SDK_FIT_PRODUCT_ROWS : stride;
        for (size_t row = begin; row < end; row++) {
            double magnitude = fabs(c[row]);
            if (!(magnitude >= SDK_FIT_SMALLEST)) continue;
            counts[row % SDK_FIT_LANES] += 1;
            products[row % SDK_FIT_LANES] *= sdk_log_remainder(magnitude);
        }
        for (size_t l = 0; l < SDK_FIT_LANES; l++) {
            total -= log2(products[l]);
            products[l] = 1;
        }
    }
    *count = sdk_lanes_sum(counts);
    *log2_sum = total;
}
