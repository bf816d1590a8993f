// convolve_gather.h - compacting kept positions where no instruction does it.
static void gather_slots(const sdk_convolve_list *list, const uint8_t *const *rows, size_t pixel,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    (void)channels;
    size_t in_block = SDK_CONVOLVE_BLOCK / sizeof(convolve_in);
    for (size_t k = 0; k < list->kept; k++) {
        uint32_t position = list->positions[k];
        if (position == SDK_CONVOLVE_NOTHING) continue;
        const uint8_t *from = rows[position & 0xFFFF] + (position >> 16) * sizeof(convolve_in);
        uint8_t *at = to + k / in_block * pitch + k % in_block * sizeof(convolve_in);
        for (size_t i = 0; i < count; i++) {
            memcpy(at + i * SDK_CONVOLVE_BLOCK, from + i * pixel, sizeof(convolve_in));
        }
    }
}
