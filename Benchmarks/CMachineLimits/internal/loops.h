// loops.h - the loops for one register width. Before including it, define SDB_VECTOR, a vector of
// floats, and SDB_NAME(loop), the function's name. No include guard: it is included once a width.

// Ten sums hide the latency of an FMA (4 cycles, 2 a cycle) and fit in 16 registers.
#define SDB_SUMS 10
#define SDB_LANES (sizeof(SDB_VECTOR) / sizeof(float))

static double SDB_NAME(fma)(size_t rounds) {
    SDB_VECTOR sums[SDB_SUMS], factor = {0}, addend = {0};
    factor += 0.5f;
    addend += 1.0f;
    for (int i = 0; i < SDB_SUMS; i++) sums[i] = addend * (float)i;
    for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < SDB_SUMS; i++) {
            sums[i] = SDB_MULTIPLY_ADD(sums[i], factor, addend);
        }
    }
    SDB_VECTOR total = sums[0];
    for (int i = 1; i < SDB_SUMS; i++) total += sums[i];
    volatile float kept = total[0];
    (void)kept;
    return 2.0 * SDB_SUMS * SDB_LANES * (double)rounds;
}

static float SDB_NAME(read)(const void *from, size_t bytes) {
    SDB_VECTOR sums[4] = {{0}};
    const SDB_VECTOR *next = from;
    for (size_t i = 0; i < bytes / sizeof(SDB_VECTOR); i += 4) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < 4; j++) sums[j] += next[i + j];
    }
    SDB_VECTOR total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float sum = 0;
    for (size_t lane = 0; lane < SDB_LANES; lane++) sum += total[lane];
    return sum;
}

// From four places at once, which lets more reads be under way where pages end one.
static float SDB_NAME(read_streams)(const void *from, size_t bytes) {
    SDB_VECTOR sums[4] = {{0}};
    const SDB_VECTOR *next = from;
    size_t quarter = bytes / sizeof(SDB_VECTOR) / 4;
    for (size_t i = 0; i < quarter; i++) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < 4; j++) sums[j] += next[j * quarter + i];
    }
    SDB_VECTOR total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float sum = 0;
    for (size_t lane = 0; lane < SDB_LANES; lane++) sum += total[lane];
    return sum;
}

static void SDB_NAME(write)(void *to, size_t bytes) {
    SDB_VECTOR value = {0};
    value += 1.0f;
    SDB_VECTOR *next = to;
    for (size_t i = 0; i < bytes / sizeof(SDB_VECTOR); i++) {
        __builtin_nontemporal_store(value, next + i);
    }
}

#undef SDB_SUMS
#undef SDB_LANES
#undef SDB_VECTOR
#undef SDB_NAME
#undef SDB_MULTIPLY_ADD
