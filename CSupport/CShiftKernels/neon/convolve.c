// convolve.c - internal/convolve_body.h for this instruction set.
#include "convolve_job.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__neon
#define SDK_PART 4
#include "convolve_vectors.h"

INLINE convolve_i32 add_products(convolve_i32 sums, convolve_i16 a, convolve_i16 b) {
    int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
    return sums + (convolve_i32)vpaddq_s32(low, high);
}

/// a[0] + a[1], a[2] + a[3], then those of b.
INLINE convolve_i32 add_neighbours(convolve_i32 a, convolve_i32 b) {
    return (convolve_i32)vpaddq_s32((int32x4_t)a, (int32x4_t)b);
}

static void gather_slots(const sdk_convolve_list *list, const uint8_t *const *rows, size_t pixel,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    if (channels < 16) {
        gather_singly(list, rows, pixel, count, to, pitch);
        return;
    }
    // In order: each writes zeros behind its own, of which the next are in their place.
    const sdk_convolve_narrow_step *end = list->narrow + list->narrow_count;
    for (const sdk_convolve_narrow_step *step = list->narrow; step < end; step++) {
        uint8x16_t index = vld1q_u8(step->index);
        const uint8_t *from = rows[step->tap] + step->channel;
        uint8_t *at = to + step->place / SDK_CONVOLVE_BLOCK * pitch +
                      step->place % SDK_CONVOLVE_BLOCK * sizeof(convolve_lane);
        for (size_t i = 0; i < count; i++) {
            uint8x16_t x = vqtbl1q_u8(vld1q_u8(from + i * pixel), index);
            uint16_t *lanes = (uint16_t *)(at + i * CONVOLVE_SLOT);
            vst1q_u16(lanes, vmovl_u8(vget_low_u8(x)));
            vst1q_u16(lanes + 8, vmovl_high_u8(x));
        }
    }
}

#include "convolve_body.h"
#endif
