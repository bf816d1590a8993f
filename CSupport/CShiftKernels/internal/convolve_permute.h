// convolve_permute.h - compacting kept positions by AVX-512 VBMI: 64 bytes of channels at once,
// whatever their elements.

enum { CONVOLVE_STEPS = 7 };

/// Compacts `count` pixels, `pixel` bytes from one to the next, into one block by `N` of its steps:
/// what `is_first` leaves undefined later steps of the block write, or nothing reads.
INLINE void permute(const sdk_convolve_step *steps, size_t N, const uint8_t *const *rows,
                    size_t pixel, size_t count, __mmask64 channels, int is_first, uint8_t *to) {
    const uint8_t *from[CONVOLVE_STEPS];
    __m512i index[CONVOLVE_STEPS];
    __mmask64 bytes[CONVOLVE_STEPS];
    UNROLL for (size_t n = 0; n < N; n++) {
        from[n] = rows[steps[n].tap] + steps[n].channel * sizeof(convolve_in);
        index[n] = _mm512_loadu_si512(steps[n].index);
        bytes[n] = steps[n].bytes;
    }
    size_t at = 0;
    for (const uint8_t *end = to + count * SDK_CONVOLVE_BLOCK; to < end; at += pixel) {
        __m512i block = is_first ? _mm512_setzero_si512() : _mm512_load_si512(to);
        UNROLL for (size_t n = 0; n < N; n++) {
            __m512i x = _mm512_maskz_loadu_epi8(channels, from[n] + at);
            block = n == 0 && is_first
                        ? _mm512_permutexvar_epi8(index[n], x)
                        : _mm512_mask_permutexvar_epi8(block, bytes[n], index[n], x);
        }
        _mm512_store_si512(to, block);
        to += SDK_CONVOLVE_BLOCK;
    }
}

// Of at least 64 bytes of channels, and of fewer, where reading 64 would leave the image; the
// first steps of a block, and more of them.
#define STEPS(N)                                                                               \
    static void first_wide_##N(const sdk_convolve_step *steps, const uint8_t *const *rows, size_t pixel,    \
                               size_t count, __mmask64 channels, uint8_t *to) {                \
        (void)channels;                                                                        \
        permute(steps, N, rows, pixel, count, ~(__mmask64)0, 1, to);                                  \
    }                                                                                          \
    static void first_narrow_##N(const sdk_convolve_step *steps, const uint8_t *const *rows, size_t pixel,  \
                                 size_t count, __mmask64 channels, uint8_t *to) {              \
        permute(steps, N, rows, pixel, count, channels, 1, to);                                       \
    }                                                                                          \
    static void more_wide_##N(const sdk_convolve_step *steps, const uint8_t *const *rows, size_t pixel,     \
                              size_t count, __mmask64 channels, uint8_t *to) {                 \
        (void)channels;                                                                        \
        permute(steps, N, rows, pixel, count, ~(__mmask64)0, 0, to);                                  \
    }                                                                                          \
    static void more_narrow_##N(const sdk_convolve_step *steps, const uint8_t *const *rows, size_t pixel,   \
                                size_t count, __mmask64 channels, uint8_t *to) {               \
        permute(steps, N, rows, pixel, count, channels, 0, to);                                       \
    }
STEPS(1)
STEPS(2)
STEPS(3)
STEPS(4)
STEPS(5)
STEPS(6)
STEPS(7)
#undef STEPS

static void (*const passes[2][2][CONVOLVE_STEPS])(const sdk_convolve_step *,
                                                  const uint8_t *const *, size_t, size_t,
                                                  __mmask64, uint8_t *) = {
    {{more_narrow_1, more_narrow_2, more_narrow_3, more_narrow_4, more_narrow_5, more_narrow_6,
      more_narrow_7},
     {more_wide_1, more_wide_2, more_wide_3, more_wide_4, more_wide_5, more_wide_6,
      more_wide_7}},
    {{first_narrow_1, first_narrow_2, first_narrow_3, first_narrow_4, first_narrow_5,
      first_narrow_6, first_narrow_7},
     {first_wide_1, first_wide_2, first_wide_3, first_wide_4, first_wide_5, first_wide_6,
      first_wide_7}}};

static void gather_slots(const sdk_convolve_list *list, const uint8_t *const *rows, size_t pixel,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    size_t bytes = channels * sizeof(convolve_in);
    __mmask64 mask = bytes < 64 ? ((__mmask64)1 << bytes) - 1 : 0;
    const sdk_convolve_step *step = list->steps, *end = step + list->step_count;
    while (step < end) {
        uint32_t block = step->block;
        for (int is_first = 1; step < end && step->block == block; is_first = 0) {
            size_t n = 1;
            while (n < CONVOLVE_STEPS && step + n < end && step[n].block == block) n++;
            passes[is_first][bytes >= 64][n - 1](step, rows, pixel, count, mask,
                                                 to + block * pitch);
            step += n;
        }
    }
}
