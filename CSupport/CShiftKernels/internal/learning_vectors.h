// learning_vectors.h - the vectors of the learning kernels.
#ifndef SDK_LEARNING_VECTORS_H
#define SDK_LEARNING_VECTORS_H

#include "kernel_prototypes.h"

typedef float sdk_f32x16 __attribute__((vector_size(64)));
typedef uint32_t sdk_u32x16 __attribute__((vector_size(64)));
typedef int32_t sdk_s32x16 __attribute__((vector_size(64)));
typedef uint8_t sdk_u8x16 __attribute__((vector_size(16)));
typedef int8_t sdk_s8x16 __attribute__((vector_size(16)));
#define INLINE static inline __attribute__((always_inline))

#endif  // SDK_LEARNING_VECTORS_H
