// normalise.c - internal/normalise_body.h for this instruction set.
#include "kernel_prototypes.h"

#if SDK_ARCH_ARM64
#define SDK_VARIANT(name) sdk_##name##__neon
#include "normalise_body.h"
#endif
