// normalise_body.h - batch normalisation of planes in batch lanes. Included by every instruction
// set's normalise.c inside its target region; SDK_VARIANT(name) names the functions.
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

#define LANES 16
typedef float sdk_f32x16 __attribute__((vector_size(64)));
typedef int32_t sdk_s32x16 __attribute__((vector_size(64)));
#define INLINE static inline __attribute__((always_inline))

INLINE sdk_f32x16 load16(const float *from) {
    sdk_f32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store16(float *to, sdk_f32x16 value) { memcpy(to, &value, sizeof value); }

INLINE sdk_f32x16 splat16(float v) {
    return (sdk_f32x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}

/// `v` where `mask` is set, else 0.
INLINE sdk_f32x16 where16(sdk_s32x16 mask, sdk_f32x16 v) {
    return (sdk_f32x16)((sdk_s32x16)v & mask);
}

INLINE double total16(sdk_f32x16 v) {
    float lanes[LANES];
    store16(lanes, v);
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

void SDK_VARIANT(f32_plane_moments)(size_t count, const float *x, double moments[2]) {
    sdk_f32x16 sum = splat16(0), squares = splat16(0);
    for (size_t i = 0; i < count; i += LANES) sum += load16(x + i);
    double mean = count ? total16(sum) / (double)count : 0;
    sdk_f32x16 center = splat16((float)mean);
    for (size_t i = 0; i < count; i += LANES) {
        sdk_f32x16 d = load16(x + i) - center;
        squares += d * d;
    }
    moments[0] = mean;
    moments[1] = total16(squares);
}

void SDK_VARIANT(f32_plane_normalise)(size_t count, const float *x, float factor, float shift,
                                      const float *other, int relu, float *y) {
    sdk_f32x16 a = splat16(factor), b = splat16(shift);
    for (size_t i = 0; i < count; i += LANES) {
        sdk_f32x16 v = a * load16(x + i) + b;
        if (other) v += load16(other + i);
        store16(y + i, relu ? where16(v > 0, v) : v);
    }
}

void SDK_VARIANT(f32_plane_gradient_sums)(size_t count, const float *gradient, const float *x,
                                          const float *y, float mean, double sums[2]) {
    sdk_f32x16 sum = splat16(0), product = splat16(0), center = splat16(mean);
    for (size_t i = 0; i < count; i += LANES) {
        sdk_f32x16 g = load16(gradient + i);
        if (y) g = where16(load16(y + i) > 0, g);
        sum += g;
        product += g * (load16(x + i) - center);
    }
    sums[0] = total16(sum);
    sums[1] = total16(product);
}

void SDK_VARIANT(f32_plane_gradient)(size_t count, const float *gradient, const float *x,
                                     const float *y, float factor, float slope, float shift,
                                     float *dx, float *passed) {
    sdk_f32x16 a = splat16(factor), s = splat16(slope), b = splat16(shift);
    for (size_t i = 0; i < count; i += LANES) {
        sdk_f32x16 g = load16(gradient + i);
        if (y) g = where16(load16(y + i) > 0, g);
        sdk_f32x16 v = load16(x + i);
        if (passed) store16(passed + i, g);
        store16(dx + i, a * g + s * v + b);
    }
}
