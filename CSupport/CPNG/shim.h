#ifndef SMARTDEAL_CPNG_SHIM_H
#define SMARTDEAL_CPNG_SHIM_H
#include <png.h>
#include <stdint.h>
#include <string.h>

// The formats and flags of libpng's simplified interface are macros that Swift does not import.

typedef struct {
    uint32_t width;
    uint32_t height;
    int is_color;     // other than gray
    char message[64]; // why, after a failure
} sdpng_image;

// Finds out what an image is. Returns 1, or 0 with a message.
static inline int sdpng_measure(const void *file, size_t size, sdpng_image *result) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    int ok = png_image_begin_read_from_memory(&image, file, size);
    result->width = image.width;
    result->height = image.height;
    result->is_color = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
    memcpy(result->message, image.message, sizeof result->message);
    png_image_free(&image);
    return ok;
}

// Reads the pixels, 8 bits a channel: red, green, blue, alpha if `measured` is in color, else gray,
// alpha. `pixels` takes height * width * (4 or 2) bytes. Returns 1, or 0 with a message.
static inline int sdpng_read(
    const void *file, size_t size, sdpng_image *measured, void *pixels) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    int ok = png_image_begin_read_from_memory(&image, file, size);
    if (ok) {
        image.format = measured->is_color ? PNG_FORMAT_RGBA : PNG_FORMAT_GA;
        // 16 bits without a word on gamma are taken like 8 bits, not as linear light.
        image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
        ok = png_image_finish_read(&image, NULL, pixels, 0, NULL);
    }
    memcpy(measured->message, image.message, sizeof measured->message);
    png_image_free(&image);
    return ok;
}
#endif
