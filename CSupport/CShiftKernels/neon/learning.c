// learning.c - internal/learning_body.h for this instruction set.
#include "learning_vectors.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>

#define SDK_VARIANT(name) sdk_##name##__neon

INLINE sdk_f32x16 look_up(const float *table, sdk_u8x16 symbols) {
    sdk_f32x16 value;
    for (size_t l = 0; l < 16; l++) value[l] = table[symbols[l]];
    return value;
}

INLINE sdk_u8x16 look_up_bytes(const uint8_t *table, sdk_u8x16 symbols) {
    return (sdk_u8x16)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)symbols);
}

#include "learning_body.h"
#endif
