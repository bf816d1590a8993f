// lanes_gradient.h - the gradient of the weights. Part of lanes_body.h.

/// Sums of the largest tile of the weight gradient.
enum { LONGEST_TILE = SDK_OUTPUTS * 6 };

/// Sums of the lanes of eight registers: halves are added until one register holds all sums.
INLINE void add_lanes8(const sdk_part *v, float *sums) {
#if SDK_PART == 16
#define PAIR(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
    sdk_part halves[4], quarters[2];
    UNROLL for (size_t i = 0; i < 4; i++) {
        sdk_part a = v[2 * i], b = v[2 * i + 1];
        halves[i] = PAIR(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                    PAIR(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
    UNROLL for (size_t i = 0; i < 2; i++) {
        sdk_part a = halves[2 * i], b = halves[2 * i + 1];
        quarters[i] = PAIR(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
                      PAIR(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
    sdk_part a = quarters[0], b = quarters[1];
    sdk_part pairs = PAIR(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
                     PAIR(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
    typedef float f32x8 __attribute__((vector_size(32)));
    f32x8 whole = PAIR(pairs, pairs, 0, 2, 4, 6, 8, 10, 12, 14) +
                  PAIR(pairs, pairs, 1, 3, 5, 7, 9, 11, 13, 15);
    memcpy(sums, &whole, sizeof whole);
#undef PAIR
#else
    for (size_t i = 0; i < 8; i++) {
        sums[i] = 0;
        for (size_t l = 0; l < SDK_PART; l++) sums[i] += v[i][l];
    }
#endif
}

/// A tile of the weight gradient: outputs `plane` floats apart, with `units` taps anywhere in the
/// panel, over height x width pixels.
typedef struct tile {
    const float *gradient, *panel;
    size_t plane, gradient_pitch, panel_pitch, stride, height, width;
    const size_t *offsets;  // of the units in the panel
} tile;

/// products[o * U + u] = sum over pixels and lanes.
INLINE void tile_products(const tile *g, size_t O, size_t U, float *products) {
    sdk_part sums[LONGEST_TILE + 8];
    UNROLL for (size_t i = 0; i < O * U; i++) sums[i] = (sdk_part){0};
    for (size_t part = 0; part < SDK_LANES; part += SDK_PART) {
        const float *unit[6];
        UNROLL for (size_t u = 0; u < U; u++) unit[u] = g->panel + part + g->offsets[u];
        const float *line = g->gradient + part;
        size_t step = g->stride * SDK_LANES;
        for (size_t y = 0; y < g->height; y++) {
            size_t at = y * g->panel_pitch;
            const float *from = line;
            for (size_t x = 0; x < g->width; x++) {
                sdk_part values[SDK_OUTPUTS];
                UNROLL for (size_t o = 0; o < O; o++) values[o] = load_part(from + o * g->plane);
                UNROLL for (size_t u = 0; u < U; u++) {
                    sdk_part value = load_part(unit[u] + at);
                    UNROLL for (size_t o = 0; o < O; o++) sums[o * U + u] += values[o] * value;
                }
                at += step;
                from += SDK_LANES;
            }
            line += g->gradient_pitch;
        }
    }
    for (size_t i = O * U; i < LONGEST_TILE + 8; i++) sums[i] = (sdk_part){0};
    UNROLL for (size_t i = 0; i < O * U; i += 8) add_lanes8(sums + i, products + i);
}

#define SDK_TILE(U)                                                                     \
    static __attribute__((noinline)) void outputs_##U(const tile *g, float *products) { \
        tile_products(g, SDK_OUTPUTS, U, products);                                     \
    }                                                                                   \
    static __attribute__((noinline)) void output_##U(const tile *g, float *products) {  \
        tile_products(g, 1, U, products);                                               \
    }
SDK_TILE(1)
SDK_TILE(3)
SDK_TILE(6)
#undef SDK_TILE

/// Where the gradient of a tile of pixels goes.
typedef struct sink {
    float *weights;
    size_t output_pitch, row_taps, column_taps;
} sink;

/// All rows of taps in `kept` for `outputs` outputs from `output`, while `ahead` is fetched.
INLINE void tile_rows(tile *g, sink to, size_t output, size_t outputs, const uint32_t *kept,
                      size_t count, size_t first, size_t channel_pitch, size_t tap_pitch,
                      size_t tap, fetch *ahead) {
    size_t row = 0, t = 0, left = count * to.column_taps;
    size_t fetches = ahead->channels * ahead->rows * 6 / (left + 1) + 1;
    while (left > 0) {
        fetch_rows(ahead, fetches);
        size_t units = left >= 6 ? 6 : left >= 3 ? 3 : 1;
        size_t offsets[6], places[6];
        for (size_t u = 0; u < units; u++) {
            size_t channel = kept[row] >> 16, row_tap = kept[row] & 0xFFFF;
            offsets[u] = (channel - first) * channel_pitch + row_tap * tap_pitch +
                         t * tap * SDK_LANES;
            places[u] = (channel * to.row_taps + row_tap) * to.column_taps + t;
            if (++t == to.column_taps) {
                t = 0;
                row++;
            }
        }
        left -= units;
        g->offsets = offsets;
        float products[LONGEST_TILE + 8];
        if (outputs == SDK_OUTPUTS) {
            (units == 6 ? outputs_6 : units == 3 ? outputs_3 : outputs_1)(g, products);
        } else {
            (units == 6 ? output_6 : units == 3 ? output_3 : output_1)(g, products);
        }
        for (size_t o = 0; o < outputs; o++) {
            float *weights = to.weights + (output + o) * to.output_pitch;
            for (size_t u = 0; u < units; u++) weights[places[u]] += products[o * units + u];
        }
    }
}

void SDK_VARIANT(f32_lanes_weight_gradient)(const sdk_lanes_pass *pass, size_t first_row,
                                            size_t end_row, size_t group, const uint32_t *starts,
                                            const uint32_t *kept, const float *in,
                                            const float *gradient, float *weights,
                                            float *scratch) {
    const sdk_lanes_axis *rows = &pass->rows, *columns = &pass->columns;
    sink to = {weights, pass->in_channels * rows->taps * columns->taps, rows->taps,
               columns->taps};
    tile g = {0};
    g.panel = scratch;
    g.plane = rows->out_size * columns->out_size * SDK_LANES;
    g.gradient_pitch = columns->out_size * SDK_LANES;
    size_t i = first_row, j = 0, first = 0;
    while (i < end_row) {
        g.height = least(rows->tile, end_row - i);
        g.width = least(columns->tile, columns->count - j);
        panel_axis y = panel_of(rows, i, g.height), x = panel_of(columns, j, g.width);
        g.stride = x.stride;
        g.panel_pitch = y.stride * x.count * SDK_LANES;
        size_t tap_pitch = y.tap * x.count * SDK_LANES;
        size_t channel_pitch = y.count * x.count * SDK_LANES;
        size_t end = least(first + pass->chunk, pass->in_channels);
        fill_panel(pass, first, end, y, x, in, scratch);

        size_t next_i = i, next_j = j, next_first = end;
        if (next_first == pass->in_channels) {
            next_first = 0;
            next_j = j + columns->tile;
            if (next_j >= columns->count) {
                next_j = 0;
                next_i = i + rows->tile;
            }
        }
        fetch input = {0};
        if (next_i < end_row) {
            input = fetch_of(
                pass, next_first, least(next_first + pass->chunk, pass->in_channels),
                panel_of(rows, next_i, least(rows->tile, end_row - next_i)),
                panel_of(columns, next_j, least(columns->tile, columns->count - next_j)), in);
        }
        size_t fetches = input.channels * input.rows * SDK_OUTPUTS / pass->out_channels + 1;

        for (size_t base = 0; base < pass->out_channels; base += group) {
            const uint32_t *rows_kept = kept + starts[base / group];
            const uint32_t *rows_end = kept + starts[base / group + 1];
            while (rows_kept < rows_end && *rows_kept >> 16 < first) rows_kept++;
            size_t count = 0;
            while (rows_kept + count < rows_end && rows_kept[count] >> 16 < end) count++;
            size_t group_end = least(base + group, pass->out_channels);
            for (size_t o = base; o < group_end;) {
                size_t outputs = group_end - o >= SDK_OUTPUTS ? SDK_OUTPUTS : 1;
                fetch_rows(&input, fetches);
                g.gradient = gradient + o * g.plane + (i * columns->out_size + j) * SDK_LANES;
                size_t next_o = o + outputs, next_row = i, next_column = j;
                if (next_o == pass->out_channels) {
                    next_o = 0;
                    next_row = next_i;
                    next_column = next_j;
                }
                fetch ahead = {0};
                if (next_row < end_row) {
                    ahead.channels = least(SDK_OUTPUTS, pass->out_channels - next_o);
                    ahead.rows = least(rows->tile, end_row - next_row);
                    ahead.count = least(columns->tile, columns->count - next_column);
                    ahead.channel_pitch = g.plane;
                    ahead.row_pitch = g.gradient_pitch;
                    ahead.step = SDK_LANES;
                    ahead.from = gradient + next_o * g.plane +
                                 (next_row * columns->out_size + next_column) * SDK_LANES;
                }
                tile_rows(&g, to, o, outputs, rows_kept, count, first, channel_pitch, tap_pitch,
                          x.tap, &ahead);
                o += outputs;
            }
        }
        i = next_i;
        j = next_j;
        first = next_first;
    }
}
