// quantise.c - internal/quantise_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#define SDK_VARIANT(name) sdk_##name##__avx2
SDK_TARGET_BEGIN("avx2")
#include "quantise_body.h"
SDK_TARGET_END
#endif
