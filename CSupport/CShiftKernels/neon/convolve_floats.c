// convolve_floats.c - internal/convolve_floats_body.h for this instruction set.
#include "convolve_job.h"

#if SDK_ARCH_ARM64
#pragma STDC FP_CONTRACT OFF
#define SDK_VARIANT(name) sdk_##name##__neon
#define SDK_PART 4
#include "convolve_floats_body.h"
#endif
