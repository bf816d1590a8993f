// lanes.c - internal/lanes_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#define SDK_VARIANT(name) sdk_##name##__avx512
#define SDK_PART 16
#define SDK_LONGEST 16
#define SDK_OUTPUTS 4
SDK_TARGET_BEGIN(SDK_AVX512_FEATURES)
#include "lanes_body.h"
SDK_TARGET_END
#endif
