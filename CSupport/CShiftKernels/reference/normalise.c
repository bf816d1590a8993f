// normalise.c - batch normalisation of planes in batch lanes, as it is defined.
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF
#define LANES 16

static double total(const float lanes[LANES]) {
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

/// What of a gradient passes the ReLU whose result is y.
static float passing(const float *gradient, const float *y, size_t i) {
    return !y || y[i] > 0 ? gradient[i] : 0;
}

void sdk_f32_plane_moments__scalar(size_t count, const float *x, double moments[2]) {
    float sum[LANES] = {0}, squares[LANES] = {0};
    for (size_t i = 0; i < count; i++) sum[i % LANES] += x[i];
    double mean = count ? total(sum) / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        float d = x[i] - (float)mean;
        squares[i % LANES] += d * d;
    }
    moments[0] = mean;
    moments[1] = total(squares);
}

void sdk_f32_plane_normalise__scalar(size_t count, const float *x, float factor, float shift,
                                     const float *other, int relu, float *y) {
    for (size_t i = 0; i < count; i++) {
        float v = factor * x[i] + shift;
        if (other) v += other[i];
        y[i] = relu && !(v > 0) ? 0 : v;
    }
}

void sdk_f32_plane_gradient_sums__scalar(size_t count, const float *gradient, const float *x,
                                         const float *y, float mean, double sums[2]) {
    float sum[LANES] = {0}, product[LANES] = {0};
    for (size_t i = 0; i < count; i++) {
        float g = passing(gradient, y, i);
        sum[i % LANES] += g;
        product[i % LANES] += g * (x[i] - mean);
    }
    sums[0] = total(sum);
    sums[1] = total(product);
}

void sdk_f32_plane_gradient__scalar(size_t count, const float *gradient, const float *x,
                                    const float *y, float factor, float slope, float shift,
                                    float *dx, float *passed) {
    for (size_t i = 0; i < count; i++) {
        float g = passing(gradient, y, i);
        float v = x[i];
        if (passed) passed[i] = g;
        dx[i] = factor * g + slope * v + shift;
    }
}
