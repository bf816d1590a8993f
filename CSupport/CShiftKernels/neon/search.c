// search.c - internal/search_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>
#define SDK_VARIANT(name) sdk_##name##__neon
#include "search_body.h"
#endif
