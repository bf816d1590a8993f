// convolve_tile.h - the sums of a tile. Included by the convolutions at kept positions, which define
//     SDK_TILE                        the most pixels of a tile
//     CONVOLVE_PASS, CONVOLVE_PARTS   filters whose sums are in registers together, and registers
//     convolve_register               sums of neighbouring filters
//     start(job, filter, v)           what register v of the sums of filters from `filter` on is first
//     add_word(sums, weights, x, rest, P, V)   adds a word of each of P slots, times weights: of
//                                     the first half counted from x, of others from rest
//     finish(job, sums, filter, P, V)    the sums of the filters from `filter` on become the output

/// Bytes of a slot that meet a word of weights.
enum { CONVOLVE_SLOT_WORD = SDK_CONVOLVE_WORD * sizeof(convolve_lane) / sizeof(convolve_in) };

/// A tile of `P` pixels and, in each pass, `V` registers of filters.
INLINE void tile(const convolve_job *job, size_t P, size_t V) {
    const sdk_convolution *c = job->convolution;
    for (size_t filter = 0; filter < job->filters; filter += CONVOLVE_PASS) {
        convolve_register sums[SDK_TILE][CONVOLVE_PARTS];
        UNROLL for (size_t v = 0; v < V; v++) {
            convolve_register first = start(job, filter, v);
            UNROLL for (size_t p = 0; p < P; p++) sums[p][v] = first;
        }
        const uint8_t *weights = job->weights + filter * SDK_CONVOLVE_WORD;
        const uint8_t *slots = job->slots;
        size_t skipped = job->skipped;
        for (size_t left = job->words; left > 0; slots += job->pitch) {
            size_t words = sdk_least(left, SDK_CONVOLVE_WORDS - skipped);
            left -= words;
            for (size_t t = 0; t < c->columns.taps; t++) {
                const uint8_t *x =
                    slots + job->taps[t] * CONVOLVE_SLOT + skipped * CONVOLVE_SLOT_WORD;
                for (size_t k = 0; k < words; k++, x += CONVOLVE_SLOT_WORD) {
                    add_word(sums, weights, x, x + job->gap, P, V);
                    weights += SDK_CONVOLVE_FILTERS * SDK_CONVOLVE_WORD;
                }
            }
            skipped = 0;
        }
        finish(job, sums, filter, P, V);
    }
}
