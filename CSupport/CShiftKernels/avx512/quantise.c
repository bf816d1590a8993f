// quantise.c - internal/quantise_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#define SDK_VARIANT(name) sdk_##name##__avx512
SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)
#include "quantise_body.h"
SDK_TARGET_END
#endif
