// convolve.c - internal/convolve_body.h for this instruction set.
#include "convolve_job.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__neon
#define SDK_PART 4
#include "convolve_vectors.h"

static inline __attribute__((always_inline)) convolve_i32 add_products(
    convolve_i32 sums, convolve_i16 a, convolve_i16 b) {
    int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
    return sums + (convolve_i32)vpaddq_s32(low, high);
}

#include "convolve_body.h"
#endif
