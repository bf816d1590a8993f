// convolve_permute.h - compacting kept positions by AVX-512 VBMI: 64 bytes of channels at once,
// whatever their elements.
/// `P` pixels: block after block, each put together in a register by one vpermb a step.
INLINE void gather(const sdk_convolve_group *group, const convolve_source *rows, size_t begin,
                   size_t P, __mmask64 channels, uint8_t *to, size_t pitch) {
    const sdk_convolve_step *step = group->steps, *end = step + group->step_count;
    for (uint32_t block = 0; step < end; block++, to += pitch) {
        __m512i parts[8];
        UNROLL for (size_t p = 0; p < P; p++) parts[p] = _mm512_setzero_si512();
        for (; step < end && step->block == block; step++) {
            __m512i index = _mm512_loadu_si512(step->index);
            size_t pixel = rows[step->tap].step;
            const uint8_t *from = rows[step->tap].from + begin * pixel +
                                  step->channel * sizeof(convolve_in);
            UNROLL for (size_t p = 0; p < P; p++) {
                __m512i x = _mm512_maskz_loadu_epi8(channels, from + p * pixel);
                parts[p] = _mm512_mask_permutexvar_epi8(parts[p], step->bytes, index, x);
            }
        }
        UNROLL for (size_t p = 0; p < P; p++) {
            _mm512_store_si512(to + p * SDK_CONVOLVE_BLOCK, parts[p]);
        }
    }
}

// Of at least 64 bytes of channels, and of fewer, where reading 64 would leave the image.
#define RUNS(P)                                                                              \
    static void wide_##P(const sdk_convolve_group *group, const convolve_source *rows,       \
                         size_t begin, __mmask64 channels, uint8_t *to, size_t pitch) {      \
        (void)channels;                                                                      \
        gather(group, rows, begin, P, ~(__mmask64)0, to, pitch);                             \
    }                                                                                        \
    static void narrow_##P(const sdk_convolve_group *group, const convolve_source *rows,     \
                           size_t begin, __mmask64 channels, uint8_t *to, size_t pitch) {    \
        gather(group, rows, begin, P, channels, to, pitch);                                  \
    }
RUNS(1)
RUNS(2)
RUNS(3)
RUNS(4)
RUNS(5)
RUNS(6)
RUNS(7)
RUNS(8)
#undef RUNS

static void (*const runs[2][8])(const sdk_convolve_group *, const convolve_source *, size_t,
                                __mmask64, uint8_t *, size_t) = {
    {narrow_1, narrow_2, narrow_3, narrow_4, narrow_5, narrow_6, narrow_7, narrow_8},
    {wide_1, wide_2, wide_3, wide_4, wide_5, wide_6, wide_7, wide_8}};

static void gather_slots(const sdk_convolve_group *group, const convolve_source *rows,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    size_t bytes = channels * sizeof(convolve_in);
    __mmask64 mask = bytes < 64 ? ((__mmask64)1 << bytes) - 1 : 0;
    // Runs of about equal length: a short one would wait for its own results.
    size_t parts = (count + 7) / 8;
    for (size_t i = 0; parts > 0; parts--) {
        size_t length = (count - i + parts - 1) / parts;
        runs[bytes >= 64][length - 1](group, rows, i, mask, to + i * SDK_CONVOLVE_BLOCK, pitch);
        i += length;
    }
}
