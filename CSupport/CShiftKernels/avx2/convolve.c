// convolve.c - internal/convolve_body.h for this instruction set. (vpmaddubsw saturates.)
#include "convolve_job.h"

#if SDK_ARCH_X86_64
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__avx2
#define SDK_PART 8
#include "convolve_vectors.h"

SDK_TARGET_BEGIN("avx2,fma")

static inline __attribute__((always_inline)) convolve_i32 add_products(
    convolve_i32 sums, convolve_i16 a, convolve_i16 b) {
    return sums + (convolve_i32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

#include "convolve_body.h"
SDK_TARGET_END
#endif
