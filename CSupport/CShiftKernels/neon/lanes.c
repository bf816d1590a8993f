// lanes.c - internal/lanes_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_ARM64
#define SDK_VARIANT(name) sdk_##name##__neon
#define SDK_PART 4
#define SDK_LONGEST 16
#define SDK_OUTPUTS 4
#include "lanes_body.h"
#endif
