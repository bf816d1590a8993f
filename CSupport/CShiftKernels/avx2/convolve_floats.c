// convolve_floats.c - internal/convolve_floats_body.h for this instruction set.
#include "convolve_job.h"

#if SDK_ARCH_X86_64
#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__avx2
#define SDK_PART 8

SDK_TARGET_BEGIN("avx2,fma")
#include "convolve_floats_body.h"
SDK_TARGET_END
#endif
