// dispatch.c - the CPU is asked once; then one table of function pointers is in use.
#include <pthread.h>
#include <stdlib.h>

#include "kernel_prototypes.h"

#define SDK_TABLE(isa)                                              \
    static const sdk_kernel_table table_##isa = {

#define SDK_KERNEL(name, parameters) .name = sdk_##name##__scalar,
SDK_TABLE(scalar)
#include "kernel_list.inc"
};
#undef SDK_KERNEL

#if SDK_ARCH_X86_64
#define SDK_KERNEL(name, parameters) .name = sdk_##name##__avx2,
SDK_TABLE(avx2)
#include "kernel_list.inc"
};
#undef SDK_KERNEL
#define SDK_KERNEL(name, parameters) .name = sdk_##name##__avx512,
SDK_TABLE(avx512)
#include "kernel_list.inc"
};
#undef SDK_KERNEL
#elif SDK_ARCH_ARM64
#define SDK_KERNEL(name, parameters) .name = sdk_##name##__neon,
SDK_TABLE(neon)
#include "kernel_list.inc"
};
#undef SDK_KERNEL
#endif

static const sdk_kernel_table *available[SDK_ISA_COUNT];
static sdk_isa selected;
static int refused;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void detect(void) {
    static const char *const names[SDK_ISA_COUNT] = {"scalar", "avx2", "avx512", "neon"};
    available[SDK_ISA_SCALAR] = &table_scalar;
#if SDK_ARCH_X86_64
    // The compiler's own detection also asks XGETBV whether the system saves the registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        available[SDK_ISA_AVX2] = &table_avx2;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
        available[SDK_ISA_AVX512] = &table_avx512;
    }
#elif SDK_ARCH_ARM64
    available[SDK_ISA_NEON] = &table_neon;
#endif
    for (int isa = 0; isa < SDK_ISA_COUNT; isa++) {
        if (available[isa]) selected = (sdk_isa)isa;
    }
    const char *request = getenv("SMARTDEAL_ISA");
    if (request == NULL || request[0] == '\0') return;
    refused = 1;
    for (int isa = 0; isa < SDK_ISA_COUNT; isa++) {
        if (strcmp(request, names[isa]) == 0 && available[isa]) {
            selected = (sdk_isa)isa;
            refused = 0;
        }
    }
}

const sdk_kernel_table *sdk_kernels(sdk_isa isa) {
    pthread_once(&once, detect);
    return (unsigned)isa < SDK_ISA_COUNT ? available[isa] : NULL;
}

sdk_isa sdk_selected_isa(void) {
    pthread_once(&once, detect);
    return selected;
}

int sdk_isa_request_refused(void) {
    pthread_once(&once, detect);
    return refused;
}
