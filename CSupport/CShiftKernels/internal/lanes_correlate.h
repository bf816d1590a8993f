// lanes_correlate.h - the convolution and the gradient of its input. Part of lanes_body.h.

/// What a run of pixels of one output needs; the panel begins at its first pixel.
typedef struct run {
    const float *entries, *panel;
    size_t count, channel, channel_pitch, tap_pitch, taps, stride, tap;
    float *out;
    size_t out_step;
    float bias;
    int begins;
} run;

/// `P` pixels; T column taps, the stride of pixels and that of taps are constants where it matters.
INLINE void run_pixels(const run *r, size_t P, size_t T, size_t stride, size_t tap, size_t part) {
    sdk_part sums[SDK_LONGEST];
    UNROLL for (size_t p = 0; p < P; p++) {
        sums[p] = r->begins ? (sdk_part){0} + r->bias
                            : load_part(r->out + p * r->out_step * SDK_LANES + part);
    }
    const float *entry = r->entries;
    for (size_t e = 0; e < r->count; e++) {
        uint32_t row;
        memcpy(&row, entry, sizeof row);
        const float *from = r->panel + part + ((row >> 16) - r->channel) * r->channel_pitch +
                            (row & 0xFFFF) * r->tap_pitch;
        if (T == 0) {
            for (size_t t = 0; t < r->taps; t++) {
                float weight = entry[1 + t];
                UNROLL for (size_t p = 0; p < P; p++) {
                    sums[p] += weight * load_part(from + (p * stride + t * tap) * SDK_LANES);
                }
            }
        } else {
            // One load of a pixel serves all taps that it meets.
            UNROLL for (size_t q = 0; q < (P - 1) * stride + (T - 1) * tap + 1; q++) {
                sdk_part value = load_part(from + q * SDK_LANES);
                UNROLL for (size_t t = 0; t < T; t++) {
                    size_t p = (q - t * tap) / stride;
                    if (q >= t * tap && p < P && p * stride + t * tap == q) {
                        sums[p] += entry[1 + t] * value;
                    }
                }
            }
        }
        entry += 1 + r->taps;
    }
    UNROLL for (size_t p = 0; p < P; p++) {
        store_part(r->out + p * r->out_step * SDK_LANES + part, sums[p]);
    }
}

/// All parts of the lanes, specialised by taps and strides.
INLINE void run_lanes(const run *r, size_t P) {
    for (size_t part = 0; part < SDK_LANES; part += SDK_PART) {
        if (r->taps == 3 && r->stride == 1 && r->tap == 1) {
            run_pixels(r, P, 3, 1, 1, part);
        } else if (r->taps == 3 && r->stride == 2 && r->tap == 1) {
            run_pixels(r, P, 3, 2, 1, part);
        } else if (r->taps == 2 && r->stride == 1 && r->tap == 1) {
            run_pixels(r, P, 2, 1, 1, part);
        } else if (r->taps == 1) {
            run_pixels(r, P, 1, 1, 1, part);
        } else {
            run_pixels(r, P, 0, r->stride, r->tap, part);
        }
    }
}

#define SDK_RUN(P) \
    static __attribute__((noinline)) void run_##P(const run *r) { run_lanes(r, P); }
SDK_RUN(1)
SDK_RUN(2)
SDK_RUN(3)
SDK_RUN(4)
SDK_RUN(5)
SDK_RUN(6)
SDK_RUN(7)
SDK_RUN(8)
#if SDK_LONGEST == 16
SDK_RUN(14)
SDK_RUN(16)
#endif
#undef SDK_RUN

static void (*const runs[])(const run *) = {run_1, run_2, run_3, run_4,
                                            run_5, run_6, run_7, run_8};

/// Runs `count` pixels in as few runs of about equal length as there are sums in registers.
static void run_all(run *r, size_t count) {
    while (count > 0) {
        size_t length;
#if SDK_LONGEST == 16
        if (count == 14 || count % 16 == 0) {
            length = count == 14 ? 14 : 16;
            (count == 14 ? run_14 : run_16)(r);
        } else
#endif
        {
            size_t parts = (count + 7) / 8;
            length = (count + parts - 1) / parts;
            runs[length - 1](r);
        }
        r->panel += length * r->stride * SDK_LANES;
        r->out += length * r->out_step * SDK_LANES;
        count -= length;
    }
}

void SDK_VARIANT(f32_lanes_correlate)(const sdk_lanes_pass *pass, size_t first_row,
                                      size_t end_row, const uint32_t *starts,
                                      const float *entries, const float *bias, const float *in,
                                      float *out, float *scratch) {
    const sdk_lanes_axis *rows = &pass->rows, *columns = &pass->columns;
    size_t chunk_count = (pass->in_channels + pass->chunk - 1) / pass->chunk;
    size_t i = first_row, j = 0, k = 0;
    while (i < end_row) {
        size_t height = least(rows->tile, end_row - i);
        size_t width = least(columns->tile, columns->count - j);
        panel_axis y = panel_of(rows, i, height), x = panel_of(columns, j, width);
        size_t first = k * pass->chunk, end = least(first + pass->chunk, pass->in_channels);
        const uint32_t *start = starts + k * pass->out_channels;
        if (start[pass->out_channels] > start[0]) fill_panel(pass, first, end, y, x, in, scratch);

        // What comes next: another chunk, another tile of the rows, other rows.
        size_t next_i = i, next_j = j, next_k = k + 1;
        if (next_k == chunk_count) {
            next_k = 0;
            next_j = j + columns->tile;
            if (next_j >= columns->count) {
                next_j = 0;
                next_i = i + rows->tile;
            }
        }
        fetch input = {0};
        if (next_i < end_row) {
            size_t channel = next_k * pass->chunk;
            input = fetch_of(
                pass, channel, least(channel + pass->chunk, pass->in_channels),
                panel_of(rows, next_i, least(rows->tile, end_row - next_i)),
                panel_of(columns, next_j, least(columns->tile, columns->count - next_j)), in);
        }
        size_t fetches = (input.channels * input.rows) / (pass->out_channels * height) + 1;
        int fetch_out = next_k == 0 && next_i < end_row;
        ptrdiff_t next_out =
            ((ptrdiff_t)((next_i - i) * rows->out_step * columns->out_size) +
             ((ptrdiff_t)next_j - (ptrdiff_t)j) * (ptrdiff_t)columns->out_step) * SDK_LANES;

        for (size_t o = 0; o < pass->out_channels; o++) {
            run r = {0};
            r.count = start[o + 1] - start[o];
            r.begins = k == 0;
            r.entries = entries + start[o] * (1 + columns->taps);
            r.channel = first;
            r.tap_pitch = y.tap * x.count * SDK_LANES;
            r.channel_pitch = y.count * x.count * SDK_LANES;
            r.taps = columns->taps;
            r.stride = x.stride;
            r.tap = x.tap;
            r.out_step = columns->out_step;
            r.bias = bias ? bias[o] : 0;
            for (size_t row = 0; row < height; row++) {
                size_t line = o * rows->out_size + rows->out_first + (i + row) * rows->out_step;
                size_t column = columns->out_first + j * columns->out_step;
                r.panel = scratch + row * y.stride * x.count * SDK_LANES;
                r.out = out + (line * columns->out_size + column) * SDK_LANES;
                fetch_rows(&input, fetches);
                if (fetch_out && next_i + row < end_row) {
                    fetch_pixels(r.out + next_out,
                                 least(width, columns->count - next_j),
                                 columns->out_step * SDK_LANES);
                }
                if (r.count > 0 || r.begins) run_all(&r, width);
            }
        }
        i = next_i;
        j = next_j;
        k = next_k;
    }
}
