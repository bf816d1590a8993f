// lanes.c - internal/lanes_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_X86_64
#define SDK_VARIANT(name) sdk_##name##__avx2
#define SDK_PART 8
#define SDK_LONGEST 8
#define SDK_OUTPUTS 2
SDK_TARGET_BEGIN("avx2,fma")
#include "lanes_body.h"
SDK_TARGET_END
#endif
