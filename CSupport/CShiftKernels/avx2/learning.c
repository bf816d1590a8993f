// learning.c - internal/learning_body.h for this instruction set; a table is two registers.
#include "learning_vectors.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#define SDK_VARIANT(name) sdk_##name##__avx2
SDK_TARGET_BEGIN("avx2")

/// vpermps reads three bits; the fourth, moved to the sign, picks the half of the table.
INLINE __m256 look_up8(const float *table, __m256i symbols) {
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), symbols),
                            _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), symbols),
                            _mm256_castsi256_ps(_mm256_slli_epi32(symbols, 28)));
}

INLINE sdk_f32x16 look_up(const float *table, sdk_u8x16 symbols) {
    __m128i bytes = (__m128i)symbols;
    __m256 halves[2] = {look_up8(table, _mm256_cvtepu8_epi32(bytes)),
                        look_up8(table, _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)))};
    sdk_f32x16 value;
    memcpy(&value, halves, sizeof value);
    return value;
}

INLINE sdk_u8x16 look_up_bytes(const uint8_t *table, sdk_u8x16 symbols) {
    return (sdk_u8x16)_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)table), (__m128i)symbols);
}

#include "learning_body.h"
SDK_TARGET_END
#endif
