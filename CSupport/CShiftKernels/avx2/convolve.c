// convolve.c - internal/convolve_body.h for this instruction set. (vpmaddubsw saturates.)
#include "convolve_job.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__avx2
#define SDK_PART 8
#include "convolve_vectors.h"

SDK_TARGET_BEGIN("avx2,fma")

INLINE convolve_i32 add_products(convolve_i32 sums, convolve_i16 a, convolve_i16 b) {
    return sums + (convolve_i32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

/// a[0] + a[1], a[2] + a[3], ..., then those of b.
INLINE convolve_i32 add_neighbours(convolve_i32 a, convolve_i32 b) {
    // vphaddd works in lanes of 16 bytes.
    __m256i sums = _mm256_hadd_epi32((__m256i)a, (__m256i)b);
    return (convolve_i32)_mm256_permute4x64_epi64(sums, 0xD8);
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
        __m128i index = _mm_loadu_si128((const __m128i *)step->index);
        const uint8_t *from = rows[step->tap] + step->channel;
        uint8_t *at = to + step->place / SDK_CONVOLVE_BLOCK * pitch +
                      step->place % SDK_CONVOLVE_BLOCK * sizeof(convolve_lane);
        for (size_t i = 0; i < count; i++) {
            __m128i x = _mm_loadu_si128((const __m128i *)(from + i * pixel));
            __m256i wide = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(x, index));
            _mm256_storeu_si256((__m256i *)(at + i * CONVOLVE_SLOT), wide);
        }
    }
}

#include "convolve_body.h"
SDK_TARGET_END
#endif
