// quantise_level.h - one value to its level, and the chance of a counter.
#ifndef SDK_QUANTISE_LEVEL_H
#define SDK_QUANTISE_LEVEL_H

#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF

/// Added and taken away again it rounds values of 0 ... 2^22 to whole numbers, ties to even.
#define SDK_ROUNDER 8388608.0f

static inline float sdk_quantised(float x, float zero, float scale, float top, float noise) {
    if (!(scale > 0)) return x;
    float k = (x - zero) / scale + noise;
    // Comparisons with NaN are false, which keeps it.
    if (k < 0) k = 0;
    if (k > top) k = top;
    k = (k + SDK_ROUNDER) - SDK_ROUNDER;
    return k * scale + zero;
}

/// Added and taken away again it rounds values of -2^21 ... 2^21, ties to even.
#define SDK_SIGNED_ROUNDER 12582912.0f

/// A number in -1/2 ..< 1/2, a multiple of 2^-24. The mixing steps are those of the bijections that
/// C. Wellons found by search (hash-prospector), with the key in two places.
static inline float sdk_counter_noise(uint64_t counter, uint64_t key) {
    uint32_t h = (uint32_t)counter + (uint32_t)key;
    h ^= h >> 16;
    h *= 0x21F0AAADu;
    h ^= (uint32_t)(key >> 32);
    h ^= h >> 15;
    h *= 0xD35A2D97u;
    h ^= h >> 15;
    return (float)(int32_t)(h >> 8) * 0x1p-24f - 0.5f;
}

#endif  // SDK_QUANTISE_LEVEL_H
