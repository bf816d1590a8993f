// quantise.c - ranges, and values rounded to the levels of a range.
#include <math.h>

#include "quantise_level.h"

void sdk_f32_minmax__scalar(size_t rows, size_t lanes, const float *x, float *least,
                            float *largest) {
    for (size_t l = 0; l < lanes; l++) {
        float low = INFINITY, high = -INFINITY;
        for (size_t row = 0; row < rows; row++) {
            float value = x[row * lanes + l];
            if (value < low) low = value;
            if (value > high) high = value;
        }
        // A negative zero becomes a positive one, so that the order does not matter.
        least[l] = low + 0.0f;
        largest[l] = high + 0.0f;
    }
}

void sdk_f32_fake_quantise__scalar(size_t rows, size_t lanes, const float *x, const float *zero,
                                   const float *scale, float top, float *out) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t l = 0; l < lanes; l++) {
            out[row * lanes + l] =
                sdk_quantised(x[row * lanes + l], zero[l], scale[l], top, 0.0f);
        }
    }
}

void sdk_f32_fake_quantise_random__scalar(size_t count, uint64_t first, uint64_t key,
                                          const float *x, float zero, float scale, float top,
                                          float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = sdk_quantised(x[i], zero, scale, top, sdk_counter_noise(first + i, key));
    }
}
