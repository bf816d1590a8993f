// learning.c - internal/learning_body.h for this instruction set; a table is one register.
#include "learning_vectors.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#define SDK_VARIANT(name) sdk_##name##__avx512
SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)

INLINE sdk_f32x16 look_up(const float *table, sdk_u8x16 symbols) {
    return (sdk_f32x16)_mm512_permutexvar_ps(_mm512_cvtepu8_epi32((__m128i)symbols),
                                             _mm512_loadu_ps(table));
}

INLINE sdk_u8x16 look_up_bytes(const uint8_t *table, sdk_u8x16 symbols) {
    return (sdk_u8x16)_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table), (__m128i)symbols);
}

#include "learning_body.h"
SDK_TARGET_END
#endif
